"""How many bytes the values of a shard take, encoded. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sizes:
    """The size of each key's value, and their sum."""

    def __init__(self, stored: Mapping[bytes, bytes]) -> None:
        self._sizes = {key: len(value) for key, value in stored.items()}
        self.total = sum(self._sizes.values())
        """Bytes."""

    def update(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Take note of what was written; None forgets a key."""
        for key, value in changes.items():
            self.total -= self._sizes.pop(key, 0)
            if value is not None:
                self._sizes[key] = len(value)
                self.total += len(value)
