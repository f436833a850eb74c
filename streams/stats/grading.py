"""
What a market remembers to grade alerts: the newest fill of each token, and the alerts whose time is still to come.

A grade compares the price at which an alert's order traded with the price at a due time: that of the newest fill by
place on the chain, of those the market knows when the due time comes. Fills that come later change no grade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from streams.stats.buckets import NEVER

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord

MOST: Final = 1_024
"""Alerts remembered per market; beyond, the oldest is given up."""

FRESH_MS: Final = 900_000
"""A fill this long before the due time, or longer, tells no price."""

LEAST_PRICE: Final = 0.0001
"""USDC per share, the finest tick; of what cost less a return says nothing."""

Reason = Literal["no-fill", "too-many", "late", "low-price"]
"""Why an alert got no grade, see `FRESH_MS`, `MOST` and `LEAST_PRICE`; late: its due time passed on its way here."""


class Fill(NamedTuple):
    """A trade of a token; compares by place on the chain."""

    second: int
    """Unix seconds, at most the clock at its arrival: a time in the future hides no later fill."""
    block_number: int
    """-1 where it is not known, like the log index."""
    log_index: int
    event_id: str
    price: float
    """USDC per share."""


class Due(NamedTuple):
    """A time at which to grade, unix milliseconds, and its name."""

    at: int
    horizon: str


class Ungraded(msgspec.Struct, array_like=True, gc=False):
    """An alert that waits for its grades."""

    alert_id: str
    rule: str
    rule_hash: str
    shadow: bool
    token_id: str
    side: Literal["BUY", "SELL"]
    price: float
    as_of: int
    """Unix milliseconds."""
    dues: list[Due]
    """Earliest first, never empty while it waits."""


class Settled(NamedTuple):
    """How a grade came out: `fill` has the price, or `reason` says why there is none."""

    alert: Ungraded
    due: Due
    fill: Fill | None
    reason: Reason | None


class Grading(msgspec.Struct, array_like=True, gc=False):
    """Changed by `see`, `add` and `settle` only. Nothing happens before `due`."""

    fills: dict[str, Fill] = {}
    """The newest by token."""
    alerts: list[Ungraded] = []
    """In order of arrival."""
    due: int = NEVER
    """Earliest due time, unix milliseconds."""

    @property
    def next_due(self) -> int | None:
        """Earliest due time, unix milliseconds, if any; it may have passed where nobody settled."""
        return None if self.due == NEVER else self.due

    def see(self, order: OrderRecord, clock: int) -> None:
        """Take note of a fill that came at `clock` (ms)."""
        block, index = order.block_number, order.log_index
        fill = Fill(
            min(order.timestamp, clock // 1_000),
            -1 if block is None else block,
            -1 if index is None else index,
            order.event_id,
            order.price,
        )
        known = self.fills.get(order.token_id)
        if known is None or fill > known:
            self.fills[order.token_id] = fill

    def add(self, alert: Ungraded, clock: int) -> list[Settled]:
        """Wait for an alert's due times; return what becomes of those that passed before `clock` (ms), and for room."""
        late = [Settled(alert, due, None, "late") for due in alert.dues if due.at <= clock]
        alert.dues = alert.dues[len(late) :]
        if not alert.dues:
            return late
        self.alerts.append(alert)
        self.due = min(self.due, alert.dues[0].at)
        if len(self.alerts) <= MOST:
            return late
        oldest = self.alerts.pop(0)
        self.due = self._earliest()
        return [*late, *(Settled(oldest, due, None, "too-many") for due in oldest.dues)]

    def settle(self, clock: int) -> list[Settled]:
        """Return what is due up to `clock` (ms), in order of time, and forget it."""
        if clock < self.due:
            return []
        outcomes = []
        for alert in self.alerts:
            while alert.dues and alert.dues[0].at <= clock:
                outcomes.append(self._grade(alert, alert.dues.pop(0)))
        self.alerts = [alert for alert in self.alerts if alert.dues]
        self.due = self._earliest()
        return sorted(outcomes, key=_time)

    def _grade(self, alert: Ungraded, due: Due) -> Settled:
        fill = self.fills.get(alert.token_id)
        if fill is None or not due.at - FRESH_MS < fill.second * 1_000 <= due.at:
            return Settled(alert, due, None, "no-fill")
        return Settled(alert, due, fill, None if alert.price >= LEAST_PRICE else "low-price")

    def _earliest(self) -> int:
        return min((alert.dues[0].at for alert in self.alerts), default=NEVER)


def _time(outcome: Settled) -> int:
    return outcome.due.at
