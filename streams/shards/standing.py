"""How far a shard is, as others see it. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Working(NamedTuple):
    """A shard whose state is restored."""

    following: int
    """Offset of the next record to fold."""
    end: int | None
    """The partition's end as of the last fetch; None before the first."""
    empty_to: int
    """No record lies between `following` and here: what fills it are marks of transactions."""
    remembered_offset: int
    remembered_at: float
    """When a remember began, of those that are complete the last; seconds of the monotonic clock."""
    subjects: int
    state_bytes: int

    def lag(self, end: int | None) -> int | None:
        """Return how many records are not folded yet if the partition ends at `end`; None: nobody knows the end."""
        ends = [known for known in (end, self.end) if known is not None]
        if not ends:
            return None
        return max(ends) - self.following if max(ends) > max(self.following, self.empty_to) else 0


class Standing(NamedTuple):
    """A shard, restored or not."""

    topic: str
    partition: int
    label: str
    """What metrics call the topic."""
    attempts: int
    """How often it was taken over, or tried to be."""
    restored: int
    """Records of its state read since it was assigned."""
    working: Working | None
    """None while its state is being restored."""

    @property
    def name(self) -> str:
        """Return topic and partition, for people."""
        return f"{self.topic} {self.partition}"
