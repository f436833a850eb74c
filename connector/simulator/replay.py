"""Recorded orders, at any speed."""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson

from connector.simulator.timeline import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FIRST_BLOCK = 81_000_000
_BLOCK_SECONDS = 2


class InvalidRecording(Exception):
    """A file of recorded orders cannot be read; the message names the line and the remedy."""


def parse_recording(data: bytes) -> list[dict[str, Any]]:
    """
    Read recorded orders, one JSON object a line, and return them by time.

    Raises:
        InvalidRecording: a line is no JSON object, or lacks `user` or an integer `timestamp`.
    """
    rows = []
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidRecording(f"line {number}: not JSON: {error}") from error
        if not isinstance(row, dict) or not isinstance(row.get("user"), str) or type(row.get("timestamp")) is not int:
            raise InvalidRecording(f"line {number}: expected an order with `user` and an integer `timestamp`")
        rows.append(row)
    return sorted(rows, key=_time)


def replay(rows: Sequence[dict[str, Any]], *, speed: float, rebase: bool) -> Iterator[Batch]:
    """Yield rows sorted by time, `speed` recorded seconds per second, with the time of playing if `rebase`."""
    for timestamp, same in groupby(rows, key=_time):
        at = (timestamp - _time(rows[0])) / speed
        yield Batch(at=at, rows=list(same), block_at=at if rebase else None)


def with_indexes(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with the `block_number`, `log_index` and `order_hash` that recordings lack, made up."""
    indexed = []
    for block, same in groupby(rows, key=lambda row: _time(row) // _BLOCK_SECONDS):
        for log_index, row in enumerate(same):
            made_up = {
                "block_number": _FIRST_BLOCK + block - _time(rows[0]) // _BLOCK_SECONDS,
                "log_index": log_index,
                "order_hash": "0x" + hashlib.sha256(orjson.dumps([block, log_index, row["tx_hash"]])).hexdigest(),
            }
            indexed.append(row | {name: value for name, value in made_up.items() if row.get(name) is None})
    return indexed


def _time(row: dict[str, Any]) -> int:
    timestamp: int = row["timestamp"]
    return timestamp
