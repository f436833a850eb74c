"""What a pass looks at in a REST row, before anybody has checked it: fields may be missing or malformed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONTENT = ("tx_hash", "token_id", "side", "shares", "price")


def second_of(row: Mapping[str, Any]) -> int | None:
    """Return the time of execution in unix seconds; None for none."""
    value = row.get("timestamp")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def seconds_of(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the times of those rows that have one."""
    return [second for row in rows if (second := second_of(row)) is not None]


def newest_first(seconds: Sequence[int]) -> bool:
    """Tell whether times never rise."""
    return all(newer >= older for newer, older in pairwise(seconds))


def content_of(row: Mapping[str, Any]) -> int:
    """Return a hash of what equal fills of one wallet share."""
    return hash(repr([row.get(field) for field in _CONTENT]))
