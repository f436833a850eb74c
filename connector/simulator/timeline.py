"""Orders in the order in which they are to be executed, with offsets in seconds from the start."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Rows executed in one instant."""

    at: float
    """Seconds from the start."""
    rows: list[dict[str, Any]]
    block_at: float | None
    """Seconds from the start that `timestamp` is to say; None leaves the rows' own times."""


def merged(*sources: Iterable[Batch]) -> Iterator[Batch]:
    """Merge sources that are each in order of `at`; on a tie, the earlier source comes first."""
    return merge(*sources, key=lambda batch: batch.at)


def stamped(batch: Batch, origin: float) -> list[dict[str, Any]]:
    """Return the rows with the times they are to have when the start was at `origin`, unix seconds."""
    if batch.block_at is None:
        return batch.rows
    timestamp = int(origin + batch.block_at)
    return [row | {"timestamp": timestamp} for row in batch.rows]
