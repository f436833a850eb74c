"""All groups: who is told what, and when; what may be forgotten. Pure; unix milliseconds of the one who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from streams.notify.agenda import Agenda
from streams.notify.group import Group
from streams.notify.records import named
from streams.notify.repeated import Repeated
from streams.notify.routes import fingerprint, group_of, routes_of, walk
from streams.rules.identity import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.notify.batch import Place
    from streams.notify.config import Config
    from streams.notify.records import GroupMemory, Notification
    from streams.notify.routes import Route
    from streams.notify.targets import Target
    from streams.records import Alert

MOST_GROUPS: Final = 1_000
"""Groups that are told apart; alerts of further ones share one group per route and target."""

MOST_FIRING: Final = 20_000
"""Alerts that go on, in all groups, of which it is known."""

OTHERS: Final = {"others": "of too many groups"}

Outcome = Literal["queued", "silenced", "unrouted", "unwanted", "repeated"]


class Told(NamedTuple):
    """A notification, and the group that is to be settled by it."""

    group: str
    notification: Notification


class Groups:
    """
    Routes alerts to groups, and holds them back there.

    Args:
        config: Routes and receivers.
        ends: Of the partitions of alerts.v1 that this process reads: the offset that the next alert will have.
        most: Groups that are told apart.
    """

    def __init__(self, config: Config, ends: Mapping[int, int] | None = None, *, most: int = MOST_GROUPS) -> None:
        self._config = config
        self._ends = ends or {}
        self._most = most
        self._tree = fingerprint(config.route)
        self._groups: dict[str, Group] = {}
        self._changed: set[str] = set()
        self._firing: dict[str, set[str]] = {}
        """Episode -> groups in which it goes on."""
        self._repeated = Repeated()
        self._agenda: dict[str, Agenda] = {target.name: Agenda() for target in config.all_targets()}

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def pending(self) -> int:
        """Return how many alerts are read and not settled, for each target that is to be told."""
        return sum(group.unsettled for group in self._groups.values())

    def remind(self, partition: int, alert_id: str) -> None:
        """Take note of an alert that was settled before: should it come again, it is a repetition."""
        self._repeated.seen(partition, alert_id)

    def add(self, alert: Alert, place: Place, now: int) -> Outcome:
        """Have an alert told to whom it concerns; return what becomes of it."""
        if self._repeated.seen(place.partition, alert.alert_id):
            return "repeated"
        groups = self._groups_of(alert)
        told = [self._add(key, group, alert, place, now) for key, group in groups]
        if alert.silenced_by:
            return "silenced"
        return "queued" if any(told) else "unwanted" if groups else "unrouted"

    def take(self, target: str, now: int) -> Told | None:
        """Return what a target is to be told now, the longest due first; it is under way until it is settled."""
        due = self._agenda[target].first()
        if due is None or due[0] > now:
            return None
        told = Told(due[1], self._groups[due[1]].take(now))
        self._changes(told.group)
        return told

    def due_at(self, target: str) -> int | None:
        """Return when there is something to take; None: not before something changes."""
        due = self._agenda[target].first()
        return None if due is None else due[0]

    def settle(self, group: str, now: int) -> None:
        """What was taken is sent, or dead."""
        self._groups[group].settle(now)
        self._changes(group)

    def held(self) -> dict[int, int]:
        """Return by partition the first offset that is not settled, where there is one."""
        held: dict[int, int] = {}
        for group in self._groups.values():
            for partition, first in group.held():
                held[partition] = min(first, held.get(partition, first))
        return held

    def forget(self, settled: dict[int, int], now: int) -> None:
        """Drop groups of which nothing is left to know; `settled` are the offsets that are committed."""
        for key in [key for key, group in self._groups.items() if group.over(now, settled)]:
            self._agenda[self._groups.pop(key).target.name].drop(key)
            self._changed.add(key)

    def changed(self) -> set[str]:
        """Return the groups that are not remembered as they are, and take them as remembered."""
        changed, self._changed = self._changed, set()
        return changed

    def memory(self, key: str) -> GroupMemory | None:
        """Return what is to be remembered of a group; None: nothing any more."""
        return self._groups[key].memory() if key in self._groups else None

    def restore(self, memories: Mapping[str, GroupMemory]) -> None:
        """Go on from what is remembered; what another configuration left is to be forgotten."""
        routes = {route.path: route for route in walk(self._config.route)}
        targets = {target.name: target for target in self._config.all_targets()}
        for key, memory in memories.items():
            route, target = routes.get(memory.route), targets.get(memory.target)
            if route is None or target is None or key != self._key(route, target, memory.labels):
                self._changed.add(key)
                continue
            if memory.told and not self._ends.keys() & memory.told.keys():
                continue  # another process has its partitions
            group = self._groups[key] = Group(target, route, memory.labels)
            group.restore(memory, self._ends)
            for episode in group.firing:
                self._firing.setdefault(episode, set()).add(key)
            self._schedule(key)

    def _groups_of(self, alert: Alert) -> list[tuple[str, Group]]:
        """Return the groups an alert belongs to; of one that is over those where it began, whatever it says now."""
        if alert.transition == "resolved" and alert.episode in self._firing:
            return [(key, self._groups[key]) for key in sorted(self._firing[alert.episode])]
        return [
            self._group(route, target, group_of(route, alert))
            for route in routes_of(self._config.route, alert)
            for target in self._config.targets(route.receiver)
        ]

    def _add(self, key: str, group: Group, alert: Alert, place: Place, now: int) -> bool:
        """Return whether the alert is to be told there."""
        if group.knows(place):
            return True
        wanted = not alert.silenced_by and (group.target.send_resolved or alert.transition != "resolved")
        told = named(alert)
        if wanted:  # before anything begins or ends: whether a group goes on is what it was until now
            group.add(told, place, now)
            self._groups[key] = group
        if alert.transition == "resolved":
            self._end(key, group, told.episode)
        elif (
            wanted and alert.ends_at is None and len(self._firing) < MOST_FIRING and group.begins(told, place.partition)
        ):
            self._firing.setdefault(told.episode, set()).add(key)
        if key in self._groups:
            self._schedule(key)
        return wanted

    def _end(self, key: str, group: Group, episode: str) -> None:
        if group.ends(episode):
            self._changed.add(key)
            self._firing[episode].discard(key)
            if not self._firing[episode]:
                del self._firing[episode]

    def _group(self, route: Route, target: Target, labels: dict[str, str]) -> tuple[str, Group]:
        """Return a group that there is, or a new one, which is none of ours yet."""
        key = self._key(route, target, labels)
        if key not in self._groups and len(self._groups) >= self._most:
            labels = dict(OTHERS)
            key = self._key(route, target, labels)
        return key, self._groups.get(key) or Group(target, route, labels)

    def _key(self, route: Route, target: Target, labels: dict[str, str]) -> str:
        return (
            f"{target.name}/{digest(16, self._tree, route.path, *(part for pair in labels.items() for part in pair))}"
        )

    def _changes(self, key: str) -> None:
        self._changed.add(key)
        self._schedule(key)

    def _schedule(self, key: str) -> None:
        group = self._groups[key]
        self._agenda[group.target.name].put(key, group.due_at())
