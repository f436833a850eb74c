"""
Whether a worker does its work, and whether only a restart can help it. Pure; seconds of any one clock.

Ready is what is so now: assigned, restored, Kafka there. Alive is about progress: whoever owes a step and takes none
for longer than the limit, although Kafka answers, is wedged. While Kafka is away nobody is, since a restart would
only cost the state in memory; from its return on, everybody has the whole limit again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from streams.shards.standing import Standing

LOOKS_S = 1.0
"""How often somebody has to look."""

LOOKED_S = 30.0
"""Longest time between two looks, however short the limit is: one takes seconds while Kafka is away."""

MISSES = 2
"""Looks in a row at which Kafka does not answer: it is away. One alone says nothing, neither good nor bad."""

_NAMED = 5
"""Shards named of those that are being restored."""

_Owed = tuple[str, object, float]
"""What is not done, something that changes with every step towards it, and seconds it may stay the same."""


class Seen(NamedTuple):
    """A worker at one moment."""

    joined: bool
    """Whether the group has told its partitions, and has not taken them back since."""
    ends: Mapping[tuple[str, int], int] | None
    """Ends of the partitions, which Kafka told just now; None: it did not."""
    rules_known: bool
    """Whether `rules.v1` is read up to its end; no order is folded otherwise."""
    shards: Sequence[Standing]


class Health:
    """Remembers since when each shard owes a step."""

    def __init__(self, *, limit_s: float, joining_s: float, now: float) -> None:
        """`limit_s` is the longest time without a step; a group may take `joining_s` longer to assign partitions."""
        self._limit_s = limit_s
        self._joining_s = joining_s
        self._looked_at = now
        self._missed = 0
        self._since: dict[str, tuple[object, float]] = {}
        self._limits: dict[str, float] = {}

    def look(self, seen: Seen, now: float) -> None:
        """Take note of how far everybody is."""
        self._looked_at = now
        if seen.ends is None or not seen.rules_known:
            self._missed += 1
            if self._missed >= MISSES:
                self._since = {}
            return
        self._missed = 0
        before, self._since = self._since, {}
        for what, step, limit in self._owed(seen, seen.ends):
            known = before.get(what)
            self._since[what] = known if known is not None and known[0] == step else (step, now)
            self._limits[what] = limit

    def wedged(self, now: float) -> str:
        """Return what only a restart can help, in words; an empty text when nothing is."""
        if now - self._looked_at > max(self._limit_s, LOOKED_S):
            return f"nobody has looked after the worker for {now - self._looked_at:.0f} s"
        if self._missed:
            return ""
        return "; ".join(
            f"{what} for {now - since:.0f} s, although Kafka answers"
            for what, (_, since) in self._since.items()
            if now - since > self._limits[what]
        )

    def _owed(self, seen: Seen, ends: Mapping[tuple[str, int], int]) -> Iterator[_Owed]:
        if not seen.joined:
            yield "the group has assigned nothing", None, self._limit_s + self._joining_s
        for shard in seen.shards:
            working = shard.working
            if working is None:
                yield f"{shard.name} is not restored", (shard.attempts, shard.restored), self._limit_s
                continue
            if working.lag(ends.get((shard.topic, shard.partition))):
                yield f"{shard.name} has unread orders and folds none", working.following, self._limit_s
            yield f"{shard.name} remembers nothing", working.remembered_at, self._limit_s


def unready(seen: Seen) -> str:
    """Return why the worker does not do its work now, in words; an empty text when it does."""
    reasons = []
    if seen.ends is None:
        reasons.append("Kafka does not answer")
    if not seen.joined:
        reasons.append("waiting for the group to assign partitions")
    elif not seen.rules_known:
        reasons.append("rules.v1 is not read to its end")
    if restoring := sorted(shard.name for shard in seen.shards if shard.working is None):
        more = len(restoring) - _NAMED
        reasons.append(f"restoring {', '.join(restoring[:_NAMED])}" + (f" and {more} more" if more > 0 else ""))
    return "; ".join(reasons)
