"""Records of the topics of streams, and their JSON codec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from connector.contract import codec
from connector.contract.errors import InvalidRecord
from streams.stats.market import MarketWindow
from streams.stats.outcome import OutcomeView
from streams.stats.positions import PositionView
from streams.stats.walletview import WalletWindow

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
    positions: list[PositionView]
    """What was bought and sold of the tokens with the newest orders, newest first, 16 at most."""
    positions_dropped: int
    """How often a token was forgotten for a newer one, of more than 64; its sums begin anew when it comes back."""


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
    """One part of a rule's condition: its text, its value, what it was computed from, and the parts it is joined of."""

    text: str
    value: Scalar
    operands: dict[str, Scalar]
    operator: Literal["&&", "||"] | None = None
    """What joins the parts; None: there are none."""
    parts: list[Clause] = []


class OrderRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order is to be found."""

    event_id: str
    topic: str
    partition: int
    offset: int


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """What the tipping order traded."""

    condition_id: str | None
    token_id: str
    outcome: str | None
    side: Literal["BUY", "SELL"]
    price: float
    """USDC per share, 0 to 1."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `alerts.v1` and `alerts-shadow.v1`. Money inside clauses and values is in USDC, as rules are written."""

    schema: Literal[1] = ALERT_SCHEMA
    alert_id: str
    """Hash of rule hash, subject, group, tipping order and transition: what is told again has the same id."""
    fingerprint: str
    """Hash of rule id, subject and group: the same for all alerts of one rule about the same."""
    transition: Literal["firing", "escalated", "resolved"]
    episode: str
    """`alert_id` of the record with which this alert began to fire."""
    rule: str
    rule_hash: str
    mode: Literal["ACTIVE", "SHADOW"]
    severity: Severity
    labels: dict[str, str]
    scope: Scope
    subject: str
    """The wallet, or the market's condition id."""
    group: dict[str, str]
    """The variables that the rule groups by, with their values."""
    message: str
    reason: str
    """For people: the condition with the values that made it true, or why it is over."""
    clauses: list[Clause]
    """The parts that all have to be true, with their values at `as_of`; at the end those about the order are gone."""
    values: dict[str, Scalar]
    """Every variable the rule reads, with its value at `as_of`."""
    orders: list[OrderRef]
    """The tipping order first, then earlier ones of the widest window the rule reads, as far as remembered."""
    trade: Trade
    order_age_s: float
    """How old the tipping order was at `as_of`."""
    source: str
    """How the tipping order reached us: `ws`, `backfill` or `replay`."""
    coverage: Coverage = "complete"
    """Whether orders of the tipping order's wallet were known to be missing when it was published."""
    gap_id: str | None = None
    """The open gap, see `gaps.v1`."""
    silenced_by: list[str] = []
    """Ids of the silences it falls under: it should notify nobody."""
    starts_at: int
    """When it began to fire; unix milliseconds, from the log's clock, like the next two."""
    ends_at: int | None
    """When it was over, which for an alert about one order is at once; None: it goes on."""
    as_of: int


Record = WalletStats | MarketStats | Alert
R = TypeVar("R", bound=Record)
_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (WalletStats, MarketStats, Alert)
}


def encode(record: Record) -> bytes:
    """Return the record as compact JSON."""
    return codec.encode(record)


def decode(kind: type[R], value: bytes) -> R:
    """
    Read a record of `kind`.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    record: R = codec.decode(_decoders[kind], value)
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
        partition, offset = (int(named[name] or b"") for name in (_ORIGIN_PARTITION, _ORIGIN_OFFSET))
    except (KeyError, ValueError) as error:
        raise InvalidRecord(f"origin headers: {error!r}") from error
    if not (0 <= partition < 2**31 and 0 <= offset < 2**63):
        raise InvalidRecord(f"origin headers: no place of a topic: {partition}, {offset}")
    return partition, offset
