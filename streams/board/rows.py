"""
What viewers are sent, as it is encoded: the contract between the model and the page. Pure.

Money is in micro-USDC, times are unix milliseconds, prices are USDC per share. Windows are in the order of `WINDOWS`.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from connector.contract.coverage import Standing
from connector.contract.gap import Cause, GapState
from streams.board.pulse import Spread
from streams.records import Coverage, Scope, Severity

WINDOWS: Final = ("1m", "5m", "1h", "24h")

_LONGEST_TEXT = 240

State = Literal["firing", "escalated", "resolved"]
Condition = Literal["starting", "catching-up", "reading", "missing", "away"]


def shortened(text: str | None) -> str | None:
    """Return a stranger's text at a length that a row can show."""
    if text is None or len(text) <= _LONGEST_TEXT:
        return text
    return text[: _LONGEST_TEXT - 1] + "…"


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order."""

    number: int
    """Grows with every order that the board has read: tells a viewer which ones it has."""
    event_id: str
    at: int
    wallet: str
    label: str | None
    side: Literal["BUY", "SELL"]
    outcome: str | None
    price: float
    shares: int
    micros: int
    market: str | None
    title: str | None
    source: str
    gap: bool
    """Whether a gap of the wallet was open when it was published."""


class WalletSums(msgspec.Struct, frozen=True, array_like=True):
    """A wallet in one window."""

    orders: int
    volume: int
    net_flow: int
    markets: int


class WalletRow(msgspec.Struct, frozen=True, kw_only=True):
    """One wallet."""

    wallet: str
    label: str | None
    standing: Standing | None
    """None: it is not watched, or coverage has not been read."""
    gap: Cause | None
    last: int | None
    windows: list[WalletSums]
    """Empty until there are statistics."""


class MarketSums(msgspec.Struct, frozen=True, array_like=True):
    """A market in one window."""

    orders: int
    volume: int
    net_flow: int
    wallets: int
    consensus: int


class MarketRow(msgspec.Struct, frozen=True, kw_only=True):
    """One market."""

    market: str
    title: str | None
    slug: str | None
    prices: list[tuple[str | None, float]]
    """Outcome and its last price."""
    windows: list[MarketSums]


class GradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the price after an alert."""

    horizon: str
    state: Literal["graded", "ungraded"]
    reason: str | None
    gain: float | None
    """Per USDC of the tipping order."""
    then: float
    now: float | None


class AlertRow(msgspec.Struct, frozen=True, kw_only=True):
    """One alert from its beginning to its end."""

    episode: str
    state: State
    rule: str
    severity: Severity
    scope: Scope
    subject: str
    message: str
    reason: str
    wallet: str | None
    market: str | None
    title: str | None
    silenced: bool
    coverage: Coverage
    starts: int
    ends: int | None
    as_of: int
    grades: list[GradeRow]


class GapRow(msgspec.Struct, frozen=True, kw_only=True):
    """One gap by its last report."""

    gap_id: str
    wallet: str
    state: GapState
    cause: Cause
    start: int
    end: int | None
    recovered: int
    detail: str | None
    at: int


class TopicRow(msgspec.Struct, frozen=True, kw_only=True):
    """How reading of one topic goes."""

    name: str
    condition: Condition
    behind: int
    detail: str


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """The state of things in a line."""

    now: int
    rate: float
    rates: list[int]
    orders: int
    unreadable: int
    wallets: int
    """Those watched."""
    live: int
    gaps: int
    covered_until: int | None
    """The earliest of the wallets watched."""
    firing: int
    to_kafka: Spread | None
    to_alert: Spread | None
    topics: list[TopicRow]


class Frame(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What one event carries; rows replace those of the same wallet, market, episode or gap."""

    strip: Strip
    orders: list[msgspec.Raw] = []
    """Oldest first."""
    wallets: list[WalletRow] = []
    markets: list[MarketRow] = []
    alerts: list[AlertRow] = []
    gaps: list[GapRow] = []
    gone: dict[str, list[str]] = {}
    """What is no longer kept, by the name of its list."""
