"""A test of rules, as read: times in milliseconds from its beginning, names as they were written."""

from __future__ import annotations

from typing import Literal

import msgspec

from streams.records import Scalar, Severity

Source = Literal["ws", "backfill", "replay"]
Transition = Literal["firing", "escalated", "resolved"]


class CaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order that is given."""

    at_ms: int
    """When it was executed; block times are whole seconds, so what is below is cut off there."""
    delay_ms: int = 0
    """How much later it arrived."""
    wallet: str = "wallet"
    market: str | None = "market"
    outcome: str = "Yes"
    side: Literal["BUY", "SELL"] = "BUY"
    price: float = 0.5
    """USDC per share."""
    usdc: float | None = None
    shares: float | None = None
    """What it was worth is given as one of these two; neither: 10 USDC."""
    label: str | None = None
    """The wallet's on the watch-list."""
    source: Source = "ws"

    @property
    def arrival_ms(self) -> int:
        """When it arrived."""
        return self.at_ms + self.delay_ms


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that has to come; None is not looked at."""

    line: int
    at_ms: int
    rule: str
    transition: Transition = "firing"
    subject: str | None = None
    group: dict[str, str] | None = None
    message: str | None = None
    severity: Severity | None = None
    labels: dict[str, str] | None = None
    values: dict[str, Scalar] | None = None
    """Some of the variables the rule reads."""

    @property
    def details(self) -> int:
        """How much it says: who says more is to be found first."""
        fields = (self.subject, self.group, self.message, self.severity, self.labels, self.values)
        return sum(field is not None for field in fields)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test."""

    name: str
    line: int
    only: tuple[str, ...] = ()
    """Ids of the rules whose alerts are looked at; none: all."""
    orders: tuple[CaseOrder, ...]
    alerts: tuple[Expected, ...]
    until_ms: int | None = None

    @property
    def end_ms(self) -> int:
        """How far time goes on: by default to the last order's arrival or the last alert expected."""
        if self.until_ms is not None:
            return self.until_ms
        times = [*(order.arrival_ms for order in self.orders), *(alert.at_ms for alert in self.alerts)]
        return max(times, default=0)
