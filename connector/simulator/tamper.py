"""What faults do to an event: pure functions from an order and a fault to the frames to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import orjson

from connector.simulator.book import without_indexes

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.faults import Kind

_METADATA = ("market_slug", "condition_id", "title", "token_label")


class Tampered(msgspec.Struct, frozen=True):
    """An event after a fault."""

    frame: bytes
    intact: bool
    """Whether the order can still be read from it."""


def tamper(kind: Kind, data: bytes, event: Callable[[bytes], bytes]) -> Tampered:
    """Return the event around `data`, with the fault applied; kinds that do not alter a frame leave it as it is."""
    if kind == "garble":
        return Tampered(_without_last_comma(event(data)), intact=False)
    if kind == "truncate":
        frame = event(data)
        return Tampered(frame[: len(frame) * 2 // 3].decode(errors="ignore").encode(), intact=False)
    if kind == "empty_metadata":
        row = orjson.loads(data)
        return Tampered(event(orjson.dumps(row | {name: "" for name in _METADATA if name in row})), intact=True)
    if kind == "no_indexes":
        return Tampered(event(orjson.dumps(without_indexes(orjson.loads(data)))), intact=True)
    return Tampered(event(data), intact=True)


def _without_last_comma(frame: bytes) -> bytes:
    """Return what the documentation's own sample event is: JSON that lacks a comma."""
    head, _, tail = frame.rpartition(b',"')
    return head + b' "' + tail
