"""
Orders that have left `recent`: the memory against duplicates that come minutes later.

The connector may publish an order twice when one of its replicas dies or freezes, and the second may come when
a busy wallet has made hundreds of others: 200 in a minute and 820 in ten are recorded. Kept is a number made of
the id -> the second of the log at which the order left, in this order.
"""

from __future__ import annotations

import struct

KEPT_S = 600
"""Seconds of the log for which an order is recognised, at least."""

MOST = 4_096
"""Orders remembered at most; a wallet that makes more in ten minutes is remembered for a shorter time."""

_HALF = struct.Struct(">8xQH")
"""Of a packed id."""


def holds(older: dict[int, int], packed: bytes) -> bool:
    """Return whether the order of this packed id is remembered."""
    return bool(older) and _number(packed) in older


def retire(older: dict[int, int], packed: bytes, second: int) -> None:
    """Remember an order that leaves `recent` at this second of the log, and forget those whose time is over."""
    older[_number(packed)] = second
    first = next(iter(older))
    while len(older) > MOST or older[first] < second - KEPT_S:
        del older[first]
        first = next(iter(older))


def _number(packed: bytes) -> int:
    """Return half of the id's digest, told from its twins' by the occurrence."""
    half, occurrence = _HALF.unpack(packed)
    return int(half ^ occurrence)
