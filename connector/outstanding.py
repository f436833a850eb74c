"""What was handed over and is not acknowledged yet, counted by epochs. Pure."""

from __future__ import annotations


class Outstanding:
    """Records and bytes; an epoch is what was taken between two calls of `close`."""

    def __init__(self) -> None:
        self.records = 0
        self.bytes = 0
        self._epoch = 0
        self._left = {0: 0}

    def take(self, size: int) -> int:
        """Count a record of so many bytes; return its epoch."""
        self.records += 1
        self.bytes += size
        self._left[self._epoch] += 1
        return self._epoch

    def settle(self, epoch: int, size: int) -> None:
        """Count it off again."""
        self.records -= 1
        self.bytes -= size
        self._left[epoch] -= 1

    def close(self) -> int:
        """End the epoch, and return it."""
        closed = self._epoch
        self._left = {epoch: left for epoch, left in self._left.items() if left}
        self._epoch += 1
        self._left[self._epoch] = 0
        return closed

    def settled(self, epoch: int) -> bool:
        """Return whether nothing is left of this and all earlier epochs."""
        return not any(left for number, left in self._left.items() if number <= epoch)
