"""Addresses of wallets, as people write them."""

from __future__ import annotations

import re
from typing import Final

from Crypto.Hash import keccak

from connector.contract.checks import shown
from connector.contract.errors import InvalidAddress

DIGITS: Final = 40

_HEX = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_NAME = re.compile(r"[\w-]+(\.[\w-]+)+")
_HASH_DIGITS = 64


def parse_address(text: str) -> str:
    """
    Return an address in lower case.

    Letters in both cases are a checksum (EIP-55), and have to agree with the digits; in one case they are none.

    Raises:
        InvalidAddress: says what is wrong with the text.
    """
    text = text.strip()
    prefix, digits = text[:2].lower(), text[2:]
    if prefix != "0x":
        raise InvalidAddress(_without_prefix(text))
    if len(digits) == _HASH_DIGITS and _HEX.fullmatch(digits):
        raise InvalidAddress(f"{shown(text)} is the hash of a transaction or the id of a market, no wallet's address")
    if wrong := next((digit for digit in digits if not _HEX.fullmatch(digit)), None):
        raise InvalidAddress(f"{shown(text)} holds {wrong!r}, which is no hex digit")
    if len(digits) != DIGITS:
        raise InvalidAddress(f"{shown(text)} has {len(digits)} hex digits after 0x, an address has {DIGITS}")
    if digits not in (digits.lower(), digits.upper(), checksummed(digits)):
        raise InvalidAddress(
            f"{shown(text)} is mistyped: its upper and lower case letters are a checksum (EIP-55) of other digits."
            " Copy it again from its source"
        )
    return f"0x{digits.lower()}"


def checksummed(digits: str) -> str:
    """Return 40 hex digits with letters in the cases that EIP-55 gives them."""
    lower = digits.lower()
    hashed = keccak.new(data=lower.encode("ascii"), digest_bits=256).hexdigest()
    return "".join(digit.upper() if nibble >= "8" else digit for digit, nibble in zip(lower, hashed, strict=False))


def _without_prefix(text: str) -> str:
    if not text:
        return "the address is missing"
    if _HEX.fullmatch(text) and len(text) == DIGITS:
        return f"{shown(text)} lacks 0x in front"
    if _NAME.fullmatch(text):
        return f"{shown(text)} is a name: give the address behind it, 0x and {DIGITS} hex digits"
    return f"{shown(text)} is no address: expected 0x and {DIGITS} hex digits"
