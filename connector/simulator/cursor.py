"""The `pagination_key`: base64 JSON with the documented fields, and the sequence number that makes it exact."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.simulator.history import Position


class InvalidCursor(Exception):
    """A pagination key that this server did not make."""


class _Cursor(msgspec.Struct, frozen=True):
    block_timestamp: datetime
    tx_hash: str | None
    log_index: int | None
    total: int
    seq: int


def encode_cursor(row: Mapping[str, Any], position: Position, total: int) -> str:
    """Return the key of the page that follows the row at `position`."""
    timestamp, seq = position
    stamp = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return base64.b64encode(
        orjson.dumps(
            {
                "block_timestamp": stamp,
                "tx_hash": row.get("tx_hash"),
                "log_index": row.get("log_index"),
                "total": total,
                "seq": seq,
            }
        )
    ).decode("ascii")


def decode_cursor(key: str) -> tuple[Position, int]:
    """
    Return the position below which the page starts, and the total its first page announced.

    Raises:
        InvalidCursor: not base64, not JSON, a field missing or of another type.
    """
    try:
        cursor = msgspec.json.decode(base64.b64decode(key, validate=True), type=_Cursor)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("pagination_key: not one of this server's") from error
    return (int(cursor.block_timestamp.timestamp()), cursor.seq), cursor.total
