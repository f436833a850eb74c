"""
The last orders of a subject, packed: what made an alert, and the memory against duplicates that come soon.

An entry has 28 bytes, big endian: the 16 bytes of the event id, its occurrence (2), the second of
the order (4) and the offset (6). The newest is last.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from connector.contract.errors import InvalidRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

RECENT = 64
"""Orders remembered; for those before, see `older`."""

PACKED = 18
"""Bytes of a packed id."""

_ENTRY = struct.Struct(">16sHIHI")
SIZE = _ENTRY.size
_DIGITS = 32


class RecentOrder(NamedTuple):
    """One remembered order: its id, its time in seconds, its offset in the source partition."""

    event_id: str
    second: int
    offset: int


def packed_id(event_id: str) -> bytes:
    """
    Return the 18 bytes of an event id.

    Raises:
        InvalidRecord: it is not 32 hex digits, a dash and a number below 65,536.
    """
    try:
        packed = bytes.fromhex(event_id[:_DIGITS]) + int(event_id[_DIGITS + 1 :]).to_bytes(2, "big")
    except (ValueError, OverflowError) as error:
        raise InvalidRecord(f"event_id: expected 32 hex digits, a dash and a number, got {event_id!r}") from error
    if len(packed) != PACKED or event_id[_DIGITS] != "-":
        raise InvalidRecord(f"event_id: expected 32 hex digits, a dash and a number, got {event_id!r}")
    return packed


def contains(recent: bytearray, packed: bytes) -> bool:
    """Return whether an order of this packed id is remembered."""
    place = recent.find(packed)
    while place % SIZE and place > 0:  # the bytes of two neighbours may look like an id
        place = recent.find(packed, place + 1)
    return place >= 0


def remember(recent: bytearray, packed: bytes, second: int, offset: int) -> bytes | None:
    """Append an order; return the packed id of the one that leaves for it, if any."""
    recent += packed + (second << 48 | offset).to_bytes(10, "big")
    if len(recent) <= RECENT * SIZE:
        return None
    left = bytes(recent[:PACKED])
    del recent[:SIZE]
    return left


def newest_first(recent: bytearray) -> Iterator[RecentOrder]:
    """Yield what is remembered, the order that came last first."""
    for place in range(len(recent) - SIZE, -1, -SIZE):
        digits, occurrence, second, high, low = _ENTRY.unpack_from(recent, place)
        yield RecentOrder(f"{digits.hex()}-{occurrence}", second, high << 32 | low)
