"""When alerts are graded: after each horizon, and at the market's end. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.durations import parse_duration
from streams.grades import AlertGrade, Tipped, grade_of, tipped_by
from streams.stats.ending import market_end
from streams.stats.grading import Due, Ungraded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.contract.record import OrderRecord
    from streams.records import Alert
    from streams.stats.market import MarketState

END: Final = "end"
"""Horizon of a grade at the market's end."""

LONGEST_MS: Final = 30 * 86_400_000
"""No alert waits longer, also not for the end of its market: markets without orders are forgotten soon after."""

MOST_HORIZONS: Final = 8
_HORIZON = re.compile(r"[1-9][0-9]{0,8}[smhd]", re.ASCII)


class Horizon(NamedTuple):
    """A time after an alert: milliseconds, and as it was written."""

    after_ms: int
    name: str


def parse_horizons(text: str) -> tuple[Horizon, ...]:
    """
    Read horizons such as `1h,24h`, shortest first; none in an empty text.

    Raises:
        ValueError: it says what is wrong, and what to write.
    """
    horizons = sorted({_horizon(part.strip()) for part in text.split(",")} if text.strip() else set())
    if len({horizon.after_ms for horizon in horizons}) < len(horizons):
        raise ValueError(f"expected each time once, got {text!r}")
    if len(horizons) > MOST_HORIZONS:
        raise ValueError(f"expected at most {MOST_HORIZONS} times, got {len(horizons)}")
    return tuple(horizons)


def _horizon(text: str) -> Horizon:
    if _HORIZON.fullmatch(text) is None:
        raise ValueError(f"expected whole numbers with a unit (s, m, h, d) such as 1h,24h, got {text!r}")
    after_ms = parse_duration(text)
    if after_ms > LONGEST_MS:
        raise ValueError(f"expected at most 30d, got {text!r}")
    return Horizon(after_ms, text)


DEFAULT_HORIZONS: Final = parse_horizons("1h,24h")


class Grader:
    """Grades the alerts of markets at these horizons, and at the market's end where its slug says it."""

    def __init__(self, horizons: Iterable[Horizon] = DEFAULT_HORIZONS) -> None:
        self._horizons = tuple(horizons)

    def settle(self, state: MarketState, market: str, clock: int) -> list[AlertGrade]:
        """Return the grades that are due up to `clock` (ms), in order of time, and forget their alerts."""
        return [grade_of(settled, market) for settled in state.grading.settle(clock)]

    def take(
        self, state: MarketState, order: OrderRecord, brought: Iterable[Tipped], alerts: Iterable[Alert], clock: int
    ) -> list[AlertGrade]:
        """
        Take an order that the state has absorbed at `clock` (ms), and the alerts that it tipped.

        `brought` are its wallet's, `alerts` what the market tells at this order. Returns grades that are lost already.
        """
        state.grading.see(order, clock)
        grades = []
        for tipped in (*brought, *tipped_by(order.event_id, alerts)):
            given_up = state.grading.add(self._ungraded(tipped, order, state.slug), clock)
            grades += [grade_of(settled, order.condition_id or "") for settled in given_up]
        return grades

    def _ungraded(self, tipped: Tipped, order: OrderRecord, slug: str | None) -> Ungraded:
        dues = [Due(tipped.as_of + after_ms, name) for after_ms, name in self._horizons]
        end = market_end(slug)
        if end is not None and tipped.as_of < end * 1_000 <= tipped.as_of + LONGEST_MS:
            dues.append(Due(end * 1_000, END))
        return Ungraded(
            tipped.alert_id,
            tipped.rule,
            tipped.rule_hash,
            tipped.mode == "SHADOW",
            order.token_id,
            order.side,
            order.price,
            tipped.as_of,
            sorted(dues),
        )
