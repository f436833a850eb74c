"""Who owned a partition when, as its coverage tells, and which handovers were unclean. Pure."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.evidence import Event, Evidence, Published

UNCLEAN = ("replica_kill", "replica_stop", "broker_kill", "broker_stop", "slow_broker", "exit")
"""What can end an ownership without the owner's doing: it died, slept, or could not reach the broker."""
BEFORE_MS = 60_000
AFTER_MS = 60_000
"""How long before and after a fault its handover may be seen: session timeouts, frozen owners that wake up."""


class Handover(NamedTuple):
    """A change of a partition's owner."""

    partition: int
    at_ms: int
    """When the new owner first wrote coverage."""
    before: str
    after: str
    cause: Event | None
    """The unclean end of the owner before; None: it was clean."""


class Owners:
    """The owners of all partitions over a run."""

    def __init__(self, evidence: Evidence) -> None:
        self._seen: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        for each in evidence.coverage:
            spells = self._seen[each.partition]
            if not spells or spells[-1][1] != each.record.owner:
                spells.append((each.append_ms, each.record.owner))
        self._unclean = [event for event in evidence.events if event.kind in UNCLEAN]

    def at(self, partition: int, at_ms: int) -> str:
        """Return who owned a partition at a time, as far as coverage tells."""
        owner = "nobody"
        for since_ms, name in self._seen[partition]:
            if since_ms > at_ms:
                break
            owner = name
        return owner

    def handovers(self, partition: int | None = None) -> list[Handover]:
        """Return the changes of owner, of one partition or of all."""
        numbers: Iterable[int] = sorted(self._seen) if partition is None else (partition,)
        return [
            Handover(number, at_ms, before, after, self._cause(before, at_ms))
            for number in numbers
            for (_, before), (at_ms, after) in pairwise(self._seen[number])
        ]

    def near(self, partition: int, at_ms: int) -> bool:
        """Return whether a partition changed hands close to a time."""
        return any(abs(handover.at_ms - at_ms) <= AFTER_MS for handover in self.handovers(partition))

    def unclean_near(self, partition: int, begin_ms: int, end_ms: int, before: set[str]) -> Handover | None:
        """Return an unclean handover of a partition close to an interval, from one of `before` if they are known."""
        for handover in self.handovers(partition):
            near = begin_ms - BEFORE_MS <= handover.at_ms <= end_ms + AFTER_MS
            if near and handover.cause is not None and (not before or handover.before in before):
                return handover
        return None

    def stray(self, partition: int, name: str | None, at_ms: int) -> Event | None:
        """Return what kept a replica from publishing in time what it had decided on, if it owned no more by then."""
        if name is None or self.at(partition, at_ms) == name:
            return None
        ended = (event for event in self._unclean if event.replica == name)
        return next((event for event in ended if event.begin_ms <= at_ms <= event.end_ms + AFTER_MS), None)

    def _cause(self, before: str, at_ms: int) -> Event | None:
        for whose in (before, None):
            for event in self._unclean:
                if event.replica == whose and event.begin_ms <= at_ms <= event.end_ms + AFTER_MS:
                    return event
        return None


class Publishers:
    """Which replica published a live order: the one whose connection brought it."""

    def __init__(self, evidence: Evidence) -> None:
        connections = {delivery.subscription: delivery.connection for delivery in evidence.deliveries}
        self._names = {
            subscription: evidence.publishers[number]
            for subscription, number in connections.items()
            if number in evidence.publishers
        }

    def of(self, record: Published) -> str | None:
        """Return the name of the replica that published a record, or None if it is not known."""
        if record.source != "ws":
            return None
        return self._names.get(record.subscription_id or "")

    def same(self, first: Published, again: Published) -> str | None:
        """Return the name of the replica that published both, or None if they differ or it is not known."""
        return self.of(first) if self.of(first) == self.of(again) else None
