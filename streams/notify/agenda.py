"""Who is due first. Pure."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

_STALE: Final = 64
"""Entries that do not count any more, beyond as many as do, at which they are swept out."""


class Agenda:
    """Times by name, the earliest first."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        """Holds what is in `_times`, and what was."""

    def put(self, name: str, at: int | None) -> None:
        """Set the time of a name; None: it has none."""
        if at is None:
            self.drop(name)
        elif self._times.get(name) != at:
            self._times[name] = at
            heappush(self._heap, (at, name))
            if len(self._heap) > 2 * len(self._times) + _STALE:
                self._heap = [(time, each) for each, time in self._times.items()]
                heapify(self._heap)

    def drop(self, name: str) -> None:
        """Forget a name."""
        self._times.pop(name, None)

    def first(self) -> tuple[int, str] | None:
        """Return the earliest time and its name."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0] if self._heap else None
