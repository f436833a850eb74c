"""Records of the topics of streams, and their JSON codec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from connector.contract.errors import InvalidRecord
from streams.stats.market import MarketWindow, OutcomeView
from streams.stats.wallet import WalletWindow

if TYPE_CHECKING:
    from collections.abc import Iterable

Scope = Literal["wallet", "market"]
Severity = Literal["info", "warning", "critical"]
Coverage = Literal["complete", "gap"]
Scalar = bool | int | float | str | None

WALLET_STATS_SCHEMA: Final = 1
MARKET_STATS_SCHEMA: Final = 1
ALERT_SCHEMA: Final = 1

_ORIGIN_PARTITION = "origin_partition"
_ORIGIN_OFFSET = "origin_offset"


class WalletStats(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `wallet-stats.v1`: the statistics of a wallet at `as_of`. Money is in micro-USDC."""

    schema: Literal[1] = WALLET_STATS_SCHEMA
    wallet: str
    as_of: int
    """Unix milliseconds, from the log's clock."""
    as_of_offset: int
    """Offset in `orders.v1` up to which orders are in: a record with a lower one is older."""
    partition: int
    windows: dict[str, WalletWindow]
    late: int
    """Orders that came later than the longest window, ever; they are in no window."""


class MarketStats(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `market-stats.v1`: what the watched wallets did in a market. Money is in micro-USDC."""

    schema: Literal[1] = MARKET_STATS_SCHEMA
    condition_id: str
    market_slug: str | None
    title: str | None
    as_of: int
    """Unix milliseconds, from the log's clock."""
    as_of_offset: int
    """Offset in `orders-by-market.v1` up to which orders are in."""
    partition: int
    windows: dict[str, MarketWindow]
    outcomes: list[OutcomeView]
    late: int


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a rule's condition at the tipping order: its text, its value, what it was computed from."""

    text: str
    value: Scalar
    operands: dict[str, Scalar]


class OrderRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order is to be found."""

    event_id: str
    topic: str
    partition: int
    offset: int


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `alerts.v1`. Money inside clauses and values is in USDC, as rules are written."""

    schema: Literal[1] = ALERT_SCHEMA
    alert_id: str
    """Hash of rule hash, subject, tipping order and transition: the same order tips the same alert again."""
    fingerprint: str
    """Hash of rule id and subject: the same for all alerts of one rule about one subject."""
    transition: Literal["firing"] = "firing"
    rule: str
    rule_hash: str
    severity: Severity
    labels: dict[str, str]
    scope: Scope
    subject: str
    """The wallet, or the market's condition id."""
    message: str
    reason: str
    """For people: the condition with the values that made it true."""
    clauses: list[Clause]
    values: dict[str, Scalar]
    """Every variable the rule reads, with its value at the tipping order."""
    orders: list[OrderRef]
    """The tipping order first, then earlier ones of the widest window the rule reads, as far as remembered."""
    order_age_s: float
    """How old the tipping order was at `as_of`."""
    source: str
    """How the tipping order reached us: `ws`, `backfill` or `replay`."""
    coverage: Coverage = "complete"
    as_of: int
    """Unix milliseconds, from the log's clock."""


Record = WalletStats | MarketStats | Alert
R = TypeVar("R", bound=Record)
_encoder = msgspec.json.Encoder()
_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (WalletStats, MarketStats, Alert)
}


def encode(record: Record) -> bytes:
    """Return the record as compact JSON."""
    return _encoder.encode(record)


def decode(kind: type[R], value: bytes) -> R:
    """
    Read a record of `kind`.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    try:
        record: R = _decoders[kind].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRecord(str(error)) from error
    return record


def origin_headers(partition: int, offset: int) -> list[tuple[str, bytes]]:
    """Return the headers that name the place in `orders.v1` an order of `orders-by-market.v1` came from."""
    return [(_ORIGIN_PARTITION, b"%d" % partition), (_ORIGIN_OFFSET, b"%d" % offset)]


def read_origin(headers: Iterable[tuple[str, bytes | None]]) -> tuple[int, int]:
    """
    Return partition and offset of the original order.

    Raises:
        InvalidRecord: a header is missing or no number.
    """
    named = dict(headers)
    try:
        return int(named[_ORIGIN_PARTITION] or b""), int(named[_ORIGIN_OFFSET] or b"")
    except (KeyError, ValueError) as error:
        raise InvalidRecord(f"origin headers: {error!r}") from error
