"""
What operators' probes are told: does this replica work, and would a restart help it. Pure.

Ready means that it does its part: it is a member of the group, what it was given is restored, and sockets deliver the
wallets. Alive means that it makes progress. An outage of Kafka or of the provider makes it unready, and not dead: a
restart brings neither back, and costs the memory of what was published.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 5
"""Partitions or sockets named."""


class Part(msgspec.Struct, frozen=True):
    """Something that has to move."""

    name: str
    moved_at: float | None
    """When it was last seen to, in seconds of one monotonic clock; None: it has nothing to do."""
    patience: float
    """Seconds without a move that outages within their configured limits explain."""


class Line(msgspec.Struct, frozen=True):
    """A socket that is needed."""

    socket: str
    connected: bool
    delivers: bool
    """Whether the provider confirmed a subscription."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is the case at one moment."""

    stage: Literal["starting", "running", "stopping"]
    member: bool = False
    """Whether the group has told which partitions are ours."""
    sure: bool = False
    """Whether Kafka confirmed that lately enough to publish."""
    owned: int = 0
    """Partitions."""
    restoring: Sequence[int] = ()
    """Partitions of ours of which not everything is known yet."""
    sides: Sequence[Sequence[Line]] = ()
    """The needed sockets of each side; every side delivers every wallet."""


def stuck(parts: Iterable[Part], now: float) -> str:
    """Return what a restart may help, in words for an operator; nothing if all that has something to do moves."""
    waits = ((part, now - part.moved_at) for part in parts if part.moved_at is not None)
    late = (f"{part.name} has not moved for {wait:.0f} s" for part, wait in waits if wait > part.patience)
    return "; ".join(late)


def unready(standing: Standing) -> str:
    """Return why the replica does not do its part at the moment, in words for an operator; nothing if it does."""
    if standing.stage != "running":
        return standing.stage
    if not standing.member:
        return "not a member of the consumer group, or it is sharing out the partitions"
    if not standing.owned:
        return ""  # others have them all: it stands by
    if standing.restoring:
        return f"restoring partitions {_some(map(str, standing.restoring))}"
    if not standing.sure:
        return "Kafka has not confirmed lately that our partitions are ours"
    return _silent(standing.sides)


def _silent(sides: Sequence[Sequence[Line]]) -> str:
    """Return what is wrong with the sockets, unless one side is complete."""
    faults = [[_fault(line) for line in side if not line.delivers] for side in sides if side]
    return "" if not all(faults) else _some(fault for side in faults for fault in side)


def _fault(line: Line) -> str:
    return f"{line.socket} {'has no confirmed subscription' if line.connected else 'is not connected'}"


def _some(words: Iterable[str]) -> str:
    named = list(words)
    more = [f"{len(named) - _SHOWN} more"] if len(named) > _SHOWN else []
    return ", ".join([*named[:_SHOWN], *more])
