"""
One group of alerts, as Alertmanager has them. Pure; unix milliseconds of the one who asks.

    idle ──alert──> waiting ──group_wait──> told ──ticks every group_interval──> told again, if there is something new
                                                   └ nothing new for repeat_interval, and still firing: repeated

At most one notification is under way. What comes meanwhile waits for the next tick after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from streams.notify.batch import Batch, gravest_first
from streams.notify.records import Counts, Firing, GroupMemory, Notification
from streams.rules.identity import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from streams.notify.batch import Place
    from streams.notify.records import Kind, NamedAlert
    from streams.notify.routes import Route
    from streams.notify.targets import Target

MOST_FIRING: Final = 1_000
"""Alerts that go on, per group, of which it is known: repetitions tell no more."""


class Group:
    """Gathers the alerts of one target that have some values in common."""

    def __init__(self, target: Target, route: Route, labels: dict[str, str]) -> None:
        self.target = target
        self.route = route
        self.labels = labels
        self.pending = Batch(target.most_named)
        self.sending: Notification | None = None
        self.firing: dict[str, Firing] = {}
        self._taken = False
        self._told: dict[int, int] = {}
        self._told_at: int | None = None
        self._tick: int | None = None

    def knows(self, place: Place) -> bool:
        """Return whether an alert at this place is told, or in the notification under way: it is read again."""
        return place.offset <= self._told.get(place.partition, -1)

    def add(self, alert: NamedAlert, place: Place, now: int) -> None:
        """Have an alert told at the next tick."""
        if self.sending is None and not self.pending.counts.total:
            self._tick = self._next_tick(now)
        self.pending.add(alert, place)

    @property
    def unsettled(self) -> int:
        """Return how many alerts wait or are under way."""
        return self.pending.counts.total + (0 if self.sending is None else self.sending.counts.total)

    def held(self) -> Iterator[tuple[int, int]]:
        """Yield partitions with the first offset of what waits, or is under way."""
        for offsets in (self.pending.offsets, {} if self.sending is None else self.sending.offsets):
            for partition, (first, _) in offsets.items():
                yield partition, first

    def begins(self, alert: NamedAlert, partition: int) -> bool:
        """An alert goes on from now on; return whether there was room to know that."""
        known = self.firing.get(alert.episode)
        if known is None and len(self.firing) >= MOST_FIRING:
            return False
        shown = known.named is not None if known else len(self.firing) < self.target.most_named
        self.firing[alert.episode] = Firing(partition, alert.severity, alert if shown else None)
        return True

    def ends(self, episode: str) -> bool:
        """An alert is over; return whether it was known."""
        return self.firing.pop(episode, None) is not None

    def due_at(self) -> int | None:
        """Return from when on `take` has something; None: first an alert has to come, or what is under way to end."""
        if self.sending is not None:
            return None if self._taken else self.sending.at
        if self.pending.counts.total:
            return self._tick
        if self.firing and self._told_at is not None and self._tick is not None:
            return self._on_grid(self._told_at + self.route.timing.repeat_interval_ms)
        return None

    def take(self, now: int) -> Notification:
        """Return the notification that is due; after a restart the one that was under way, unchanged."""
        if self.sending is None:
            self.sending = self._repetition(now) if not self.pending.counts.total else self._news(now)
            self._told |= {partition: last for partition, (_, last) in self.sending.offsets.items()}
            self._tick = now + self.route.timing.group_interval_ms
            self.pending = Batch(self.target.most_named)
        self._taken = True
        return self.sending

    def settle(self, now: int) -> None:
        """What was taken is sent, or dead."""
        self.sending, self._taken, self._told_at = None, False, now

    def over(self, now: int, settled: dict[int, int]) -> bool:
        """Return whether nothing is left to know; `settled` is the offset of each partition before which all is."""
        quiet = self.sending is None and not self.pending.counts.total and not self.firing
        return (
            quiet
            and (self._tick is None or self._tick <= now)
            and all(last < settled.get(partition, 0) for partition, last in self._told.items())
        )

    def memory(self) -> GroupMemory:
        """Return what has to outlive this process, pending alerts excepted: they are read again."""
        return GroupMemory(
            target=self.target.name,
            route=self.route.path,
            labels=self.labels,
            sending=self.sending,
            told=dict(self._told),
            told_at=self._told_at,
            tick=self._tick,
            firing=dict(self.firing),
        )

    def restore(self, memory: GroupMemory, ends: Mapping[int, int]) -> None:
        """Go on from what is remembered of our partitions; what lies beyond their ends was another topic's."""
        sending = memory.sending
        if sending is not None and (not sending.offsets or ends.keys() & sending.offsets.keys()):
            self.sending = sending
        self._told = {partition: last for partition, last in memory.told.items() if last < ends.get(partition, 0)}
        self._told_at, self._tick = memory.told_at, memory.tick
        self.firing = {episode: each for episode, each in memory.firing.items() if each.partition in ends}

    def _next_tick(self, now: int) -> int:
        """Return when an alert that comes now is told: a group that nothing is left of begins anew."""
        if self._tick is None or (self._tick <= now and not self.firing):
            return now + self.route.timing.group_wait_ms
        return self._on_grid(now + 1)

    def _on_grid(self, at: int) -> int:
        """Return the first tick that is not before `at`."""
        tick, interval = self._tick or 0, self.route.timing.group_interval_ms
        return tick if tick >= at else tick + -(-(at - tick) // interval) * interval

    def _news(self, now: int) -> Notification:
        pending = self.pending
        return self._notification("new", pending.ids, pending.counts, pending.named, now=now, offsets=pending.offsets)

    def _repetition(self, now: int) -> Notification:
        counts = Counts()
        for each in self.firing.values():
            counts.add("firing", each.severity)
        named = [replace(each.named, transition="firing") for each in self.firing.values() if each.named is not None]
        ids = f"{'|'.join(sorted(self.firing))}@{now}"
        return self._notification("repeat", ids, counts, named, now=now, offsets={})

    def _notification(
        self,
        kind: Kind,
        ids: str,
        counts: Counts,
        alerts: list[NamedAlert],
        *,
        now: int,
        offsets: dict[int, tuple[int, int]],
    ) -> Notification:
        labels = (part for pair in self.labels.items() for part in pair)
        return Notification(
            key=digest(32, self.target.name, self.route.path, *labels, ids),
            receiver=self.target.receiver,
            kind=kind,
            group=self.labels,
            counts=counts,
            alerts=gravest_first(alerts),
            offsets=dict(offsets),
            at=now,
        )
