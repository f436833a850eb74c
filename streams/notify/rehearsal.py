"""What would be sent, at the times of the alerts themselves: no clock of this machine has a part in it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from streams.notify.groups import Groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.notify.batch import Place
    from streams.notify.config import Config
    from streams.notify.records import Notification
    from streams.records import Alert


class Rehearsed(NamedTuple):
    """A notification that would be sent."""

    at: int
    """Unix milliseconds."""
    target: str
    notification: Notification


class Rehearsal:
    """Takes alerts in order of time; every receiver answers at once."""

    def __init__(self, config: Config, groups: Groups | None = None) -> None:
        self._targets = [target.name for target in config.all_targets()]
        self._groups = Groups(config) if groups is None else groups
        self.outcomes: dict[str, int] = {}

    def run(self, alerts: Iterable[tuple[int, Alert, Place]]) -> Iterator[Rehearsed]:
        """Yield what is sent, the rest at the end; what would be repeated for ever after is not."""
        for at, alert, place in alerts:
            yield from self.until(at)
            outcome = self._groups.add(alert, place, at)
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        while self._groups.pending and (due := self._next()) is not None:
            yield from self.until(due[0])

    def until(self, at: int) -> Iterator[Rehearsed]:
        """Let time pass."""
        while (due := self._next()) is not None and due[0] <= at:
            now, target = due
            told = self._groups.take(target, now)
            if told is not None:
                self._groups.settle(told.group, now)
                yield Rehearsed(now, target, told.notification)

    def _next(self) -> tuple[int, str] | None:
        times = ((self._groups.due_at(target), target) for target in self._targets)
        return min(((at, target) for at, target in times if at is not None), default=None)
