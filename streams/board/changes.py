"""What of a bounded table changed since it was last told. Pure."""

from __future__ import annotations

from itertools import islice
from typing import Generic, TypeVar

V = TypeVar("V")


class Table(Generic[V]):
    """
    Values by key, `most` at once: the one that was put longest ago makes room.

    It remembers what changed and what went, each key once, however often it changed: that is what viewers are told.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[str, V] = {}
        self._changed: dict[str, None] = {}
        self._gone: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def get(self, key: str) -> V | None:
        """Return the value of a key."""
        return self._values.get(key)

    def values(self) -> list[V]:
        """Return all values, the one put longest ago first."""
        return list(self._values.values())

    def put(self, key: str, value: V) -> None:
        """Set the value of a key, which counts as changed."""
        self._values.pop(key, None)
        self._values[key] = value
        self._changed[key] = None
        self._gone.pop(key, None)
        if len(self._values) > self._most:
            self.drop(next(iter(self._values)))

    def touch(self, key: str) -> None:
        """Count a key as changed that is in the table."""
        if key in self._values:
            self._changed[key] = None

    def drop(self, key: str) -> None:
        """Remove a key."""
        if self._values.pop(key, None) is not None:
            self._changed.pop(key, None)
            self._gone[key] = None

    def take_changed(self, most: int) -> list[V]:
        """Return what changed, the longest waiting first; what is beyond `most` waits for the next time."""
        taken = list(islice(self._changed, most))
        for key in taken:
            del self._changed[key]
        return [self._values[key] for key in taken]

    def take_gone(self) -> list[str]:
        """Return the keys that went since this was last asked."""
        gone, self._gone = list(self._gone), {}
        return gone
