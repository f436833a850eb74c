"""Sums of returns: tallies of disjoint sets of grades add up to that of all, in whatever order."""

from __future__ import annotations

from typing import Final

import msgspec

from streams.stats.codec import StateCodec

MICROS: Final = 1_000_000
_MOST: Final = 10_000.0
"""Returns beyond are counted as this: more than any price makes, and sums stay within 64 bits."""


class Tally(msgspec.Struct, array_like=True, gc=False):
    """Of one rule, as it was, in one mode at one horizon."""

    graded: int = 0
    positive: int = 0
    """Returns above 0."""
    total: int = 0
    """Sum of returns, in millionths of the stake."""
    squares: float = 0.0
    """Sum of the squares of these; a whole number, exact below 2^53."""
    ungraded: dict[str, int] = {}
    """How many, by reason."""

    def add(self, gain: float | None, reason: str | None) -> None:
        """Count a return, or why there is none."""
        if gain is None:
            self.ungraded[reason or ""] = self.ungraded.get(reason or "", 0) + 1
            return
        micros = round(max(-_MOST, min(gain, _MOST)) * MICROS)
        self.graded += 1
        self.positive += gain > 0
        self.total += micros
        self.squares += micros * micros

    def encode(self) -> bytes:
        """Return the compact value of the state topic."""
        return _codec.encode(self)

    @staticmethod
    def decode(value: bytes) -> Tally:
        """Read a value of the state topic; raises `NewerState` or `InvalidRecord`."""
        return _codec.decode(value)

    def __add__(self, other: Tally) -> Tally:
        reasons = sorted({*self.ungraded, *other.ungraded})
        return Tally(
            self.graded + other.graded,
            self.positive + other.positive,
            self.total + other.total,
            self.squares + other.squares,
            {reason: self.ungraded.get(reason, 0) + other.ungraded.get(reason, 0) for reason in reasons},
        )


_codec = StateCodec(Tally, schema=1)
