"""Windows as data, and the bucket they are made of; see `streams.stats.windows` for how they work."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

BUCKETS = 60
NEVER = 2**62
"""Second of a change that does not come."""


class Span(NamedTuple):
    """One window: its name, its length and the width of a bucket in seconds."""

    name: str
    length: int
    width: int


SPANS = (Span("1m", 60, 1), Span("5m", 300, 5), Span("1h", 3_600, 60), Span("24h", 86_400, 1_440))
WIDTHS = tuple(span.width for span in SPANS)
LEVELS = len(SPANS)


class Sums(msgspec.Struct, array_like=True, gc=False):
    """What adds up: money in micro-USDC, shares bought in raw shares."""

    orders: int = 0
    buys: int = 0
    bought: int = 0
    sold: int = 0
    shares: int = 0


class Bucket(Sums, array_like=True, gc=False):
    """Up to 60 per window. The sums are of all orders ever, up to the end of this bucket."""

    number: int = 0
    largest: int = 0
    """The largest order in this bucket."""
    fresh: int = 0
    """Members whose newest order is in this bucket."""
