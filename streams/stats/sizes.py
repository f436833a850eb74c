"""
How large an order is among a wallet's: a histogram of sizes in quarter octaves.

A bucket is told by the length of the notional (micro-USDC) in bits and the two bits after the first.
Its upper end is 14 to 25 % above its lower end, so sizes closer than that may count as equal:

    notional   64 .. 79   80 .. 95   96 .. 111   112 .. 127   128 .. 159   ...
    bucket     28         29         30          31           32

Only buckets that have an order are kept: 216 at most, as notionals stay below 2**53. The counts do not depend on
the order of arrival.
"""

from __future__ import annotations

_FULL = 100.0


def bucket_of(notional: int) -> int:
    """Return the bucket of an order size in micro-USDC, not negative; larger sizes have no smaller bucket."""
    length = notional.bit_length()
    top = notional >> (length - 3) if length >= 3 else notional << (3 - length)
    return length << 2 | top & 3


def count(sizes: dict[int, int], notional: int) -> None:
    """Count an order of this size; `sizes` is bucket -> orders."""
    bucket = bucket_of(notional)
    sizes[bucket] = sizes.get(bucket, 0) + 1


def rank(sizes: dict[int, int], notional: int, *, without: int | None, least: int) -> float:
    """
    Return the percentile (0 to 100) of a size among those counted: of its own bucket, half are below it.

    `without` leaves one counted order of that size out. Below `least` orders the rank is 0.
    """
    own = bucket_of(notional)
    below, same, total = 0, sizes.get(own, 0), 0
    for bucket, orders in sizes.items():
        total += orders
        if bucket < own:
            below += orders
    if without is not None:
        left_out = bucket_of(without)
        total, below, same = total - 1, below - (left_out < own), same - (left_out == own)
    return 0.0 if total < least else _FULL * (2 * below + same) / (2 * total)
