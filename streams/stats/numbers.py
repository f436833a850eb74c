"""Addresses, hashes and tokens as a state holds them: shorter, and refused by name when malformed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from connector.contract.checks import shown
from connector.contract.errors import InvalidRecord
from streams.stats.recent import packed_id

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord

TOKEN_BYTES = 32
_HEX = {digits: re.compile(rf"0x[0-9a-f]{{{digits}}}", re.ASCII) for digits in (40, 64)}
_TOKEN = re.compile(r"[0-9]{1,78}", re.ASCII)
_remembered = lru_cache(maxsize=8_192)  # the same come again: reading digits takes four times as long as a look-up


def hash_number(field: str, value: str, *, digits: int = 64) -> int:
    """
    Return the number of an address or hash within a state: its last 64 bits.

    Raises:
        InvalidRecord: it is not 0x and so many hex digits in lower case: written otherwise it would be another subject.
    """
    if not _HEX[digits].fullmatch(value):
        raise InvalidRecord(f"{field}: expected 0x and {digits} hex digits in lower case, got {shown(value)}")
    return int(value[-16:], 16)


@_remembered
def market_number(condition_id: str | None) -> int | None:
    """Return the number of a market; raises `InvalidRecord` like `hash_number`."""
    return None if condition_id is None else hash_number("condition_id", condition_id)


@_remembered
def wallet_number(address: str) -> int:
    """Return the number of a wallet; raises `InvalidRecord` like `hash_number`."""
    return hash_number("address", address, digits=40)


@_remembered
def packed_token(token_id: str) -> bytes:
    """
    Return the 32 bytes, big endian, of an outcome token's decimal id.

    Raises:
        InvalidRecord: it is no decimal number of 256 bits.
    """
    try:
        if _TOKEN.fullmatch(token_id):
            return int(token_id).to_bytes(TOKEN_BYTES, "big")
    except OverflowError:
        pass
    raise InvalidRecord(f"token_id: expected a decimal number of 256 bits, got {shown(token_id)}")


@_remembered
def token_text(token: bytes) -> str:
    """Return the decimal id of a packed token."""
    return str(int.from_bytes(token, "big"))


def check_ids(order: OrderRecord) -> None:
    """
    Refuse an order that no state can hold, before anything of it changes one.

    Raises:
        InvalidRecord: an id is malformed.
    """
    market_number(order.condition_id)
    packed_token(order.token_id)
    wallet_number(order.user)
    if order.taker is not None:
        wallet_number(order.taker)
    hash_number("tx_hash", order.tx_hash)
    packed_id(order.event_id)
