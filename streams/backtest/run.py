"""One rules file on its way through the orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.backtest.counts import Counts
from streams.backtest.report import Pair, pairs
from streams.difference import Begun
from streams.grader import DEFAULT_HORIZONS
from streams.replay import Replay
from streams.rules.scorecard import Scorecards

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.backtest.counts import Row
    from streams.effects import Topics
    from streams.grader import Horizon
    from streams.records import Alert
    from streams.rules.engine import Engine


class Run:
    """A replay, and what its alerts come to; `sink` gets each alert, too."""

    def __init__(
        self,
        engine: Engine,
        topics: Topics,
        *,
        market_partition: Callable[[bytes], int] | None,
        sink: Callable[[Alert], None] | None = None,
        horizons: Sequence[Horizon] = DEFAULT_HORIZONS,
    ) -> None:
        self._counts = Counts(engine.rules)
        self._scores = Scorecards()
        self.begun = {rule.id: Begun() for rule in engine.rules}
        self.replay = Replay(
            engine,
            topics,
            self._take,
            market_partition=market_partition,
            in_time=False,
            grades=self._scores.add,
            horizons=horizons,
        )
        self._sink = sink

    def rows(self) -> list[Row]:
        """Return what became of each rule."""
        return self._counts.rows(self._scores.scores())

    def _take(self, alert: Alert) -> None:
        self._counts.take(alert)
        self.begun[alert.rule].take(alert)
        if self._sink is not None:
            self._sink(alert)


def compare(one: Run, other: Run) -> list[Pair]:
    """Return both rule by rule."""
    nothing = Begun()
    return pairs(
        one.rows(),
        other.rows(),
        lambda rule: one.begun.get(rule, nothing).against(other.begun.get(rule, nothing)),
    )
