"""
The values of a shard: those in use as objects, the others as the bytes that the state topic holds.

As an object a wallet takes about twenty times as much memory, and most have no order for long. Two generations of
objects are kept: what is used joins the younger one, and when that is full the older one is encoded. What nobody
used since a restore was never decoded either, which would be most of what a restore costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.stats.glance import Glance
    from streams.stats.rulestate import Memory

GENERATION = 2_000
"""Values in the younger generation at which the older one is encoded: of eight shards, 640 MB of objects at most."""


class Value(Protocol):
    """State of one wallet or market, as the pure fold keeps it."""

    rules: Memory
    """What rules remember; empty where nothing about them can change."""

    clock: int
    """Milliseconds of the log's clock that it was advanced to."""

    def encode(self) -> bytes:
        """Return the bytes to remember."""


V = TypeVar("V", bound=Value)


class Values(Generic[V]):
    """
    Values by subject.

    Args:
        decode: Reads a value of the state topic.
        glance: Looks into an encoded value; None: all values stay objects.
        generation: See `GENERATION`.
    """

    def __init__(
        self,
        decode: Callable[[bytes], V] | None = None,
        glance: Callable[[bytes], Glance] | None = None,
        generation: int = GENERATION,
    ) -> None:
        self._decode = decode
        self._glance = glance
        self._generation = generation
        self._young: dict[str, V] = {}
        self._old: dict[str, V] = {}
        self._encoded: dict[str, bytes] = {}

    def get(self, subject: str) -> V | None:
        """Return a value to be used, and changed."""
        value = self._young.get(subject)
        if value is None:
            value = self._old.pop(subject, None)
            if value is None:
                encoded = self._encoded.pop(subject, None)
                if encoded is None or self._decode is None:
                    return None
                value = self._decode(encoded)
            self._young[subject] = value
        return value

    def peek(self, subject: str) -> V:
        """Return a value to look at; KeyError where there is none."""
        value = self._object(subject)
        if value is not None:
            return value
        if self._decode is None:
            raise KeyError(subject)
        return self._decode(self._encoded[subject])

    def encoded(self, subject: str) -> bytes | None:
        """Return the bytes to remember; None where there is no value."""
        value = self._object(subject)
        return self._encoded.get(subject) if value is None else value.encode()

    def restore(self, subject: str, encoded: bytes) -> Glance | None:
        """Take a value from the state topic; return a glance at it, None where values stay objects."""
        self._encoded[subject] = encoded
        if self._glance is not None:
            return self._glance(encoded)
        self.get(subject)
        return None

    def cool(self, most: int) -> bool:
        """Encode what was not used for long, so many values at most; return whether more are left."""
        if self._glance is None or len(self._young) < self._generation:
            return False
        for _ in range(min(most, len(self._old))):
            subject, value = self._old.popitem()
            self._encoded[subject] = value.encode()
        if self._old:
            return True
        self._old, self._young = self._young, {}
        return False

    def ruled(self) -> list[str]:
        """Return the subjects of which rules remember anything."""
        found = [subject for objects in (self._young, self._old) for subject, value in objects.items() if value.rules]
        return found + [subject for subject, glance in self._glances() if glance.ruled]

    def clocks(self) -> Iterator[tuple[str, int]]:
        """Yield every subject and its clock."""
        for objects in (self._young, self._old):
            for subject, value in objects.items():
                yield subject, value.clock
        for subject, glance in self._glances():
            yield subject, glance.clock

    def _object(self, subject: str) -> V | None:
        value = self._young.get(subject)
        return self._old.get(subject) if value is None else value

    def _glances(self) -> Iterator[tuple[str, Glance]]:
        if self._glance is not None:
            for subject, encoded in self._encoded.items():
                yield subject, self._glance(encoded)

    def __getitem__(self, subject: str) -> V:
        value = self.get(subject)
        if value is None:
            raise KeyError(subject)
        return value

    def __setitem__(self, subject: str, value: V) -> None:
        if self._young.get(subject) is not value:
            self._old.pop(subject, None)
            self._encoded.pop(subject, None)
            self._young[subject] = value

    def __delitem__(self, subject: str) -> None:
        found = [held.pop(subject, None) for held in (self._young, self._old, self._encoded)]
        if found == [None, None, None]:
            raise KeyError(subject)

    def __contains__(self, subject: str) -> bool:
        return subject in self._young or subject in self._old or subject in self._encoded

    def __iter__(self) -> Iterator[str]:
        yield from list(self._young) + list(self._old) + list(self._encoded)

    def __len__(self) -> int:
        return len(self._young) + len(self._old) + len(self._encoded)
