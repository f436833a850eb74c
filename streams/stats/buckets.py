"""Windows as data, and the bucket they are made of; see `streams.stats.windows` for how they work."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import NamedTuple

import msgspec

BUCKETS = 60
NEVER = 2**62
"""Second of a change that does not come."""


_number = attrgetter("number")


class Span(NamedTuple):
    """One window: its name, its length and the width of a bucket in seconds."""

    name: str
    length: int
    width: int


SPANS = (Span("1m", 60, 1), Span("5m", 300, 5), Span("1h", 3_600, 60), Span("24h", 86_400, 1_440))
WIDTHS = tuple(span.width for span in SPANS)
LEVELS = len(SPANS)


def level_of(second: int, clock: int) -> int:
    """Return the shortest window that holds `second` at `clock`, LEVELS when none does."""
    if second > clock - BUCKETS:
        return 0
    for level, width in enumerate(WIDTHS):
        if second // width > clock // width - BUCKETS:
            return level
    return LEVELS


class Sums(msgspec.Struct, array_like=True, gc=False):
    """What adds up: money in micro-USDC, shares bought in raw shares."""

    orders: int = 0
    buys: int = 0
    bought: int = 0
    sold: int = 0
    shares: int = 0
    repeated: int = 0
    """Money of `bought` and `sold` that was told twice, see `matches`."""

    @property
    def volume(self) -> int:
        """Money that changed hands, each trade once."""
        return self.bought + self.sold - self.repeated

    def __add__(self, other: Sums) -> Sums:
        """Return the sums of both."""
        return Sums(
            self.orders + other.orders,
            self.buys + other.buys,
            self.bought + other.bought,
            self.sold + other.sold,
            self.shares + other.shares,
            self.repeated + other.repeated,
        )


class Bucket(Sums, array_like=True, gc=False):
    """Up to 60 per window. The sums are of all orders ever, up to the end of this bucket."""

    number: int = 0
    largest: int = 0
    """The largest order in this bucket."""
    fresh: int = 0
    """Members whose newest order is in this bucket."""


def find(tier: list[Bucket], number: int) -> int:
    """Return the place of a bucket in its tier, or where it belongs; mostly it is the last or comes after it."""
    if not tier or tier[-1].number < number:
        return len(tier)
    if tier[-1].number == number:
        return len(tier) - 1
    return bisect_left(tier, number, key=_number)
