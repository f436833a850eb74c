"""Bytes of a WebSocket message to a JSON object, or a clear reason why not."""

from __future__ import annotations

from typing import Any

import orjson

MAX_DEPTH = 32
"""Nesting of a frame. Orders nest 2 deep; readers in other languages have limits too."""

_OPENERS = (b"{", b"[")


class BadFrame(Exception):
    """
    A frame that cannot be read.

    `reason` is a stable code for dead letters, `detail` is for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decode_frame(raw: bytes, *, max_bytes: int) -> dict[str, Any]:
    """
    Decode one frame.

    Raises:
        BadFrame: `too-large`, `bad-json`, `too-deep` or `not-an-object`.
    """
    if len(raw) > max_bytes:
        raise BadFrame("too-large", f"{len(raw)} bytes, at most {max_bytes} are read (MAX_FRAME_BYTES)")
    try:
        frame = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadFrame("bad-json", str(error)) from None
    if not isinstance(frame, dict):
        raise BadFrame("not-an-object", f"expected a JSON object, got {type(frame).__name__}")
    # Counting is a bound that costs nothing; only frames over it are walked.
    if sum(raw.count(opener) for opener in _OPENERS) > MAX_DEPTH and _deeper_than(frame, MAX_DEPTH):
        raise BadFrame("too-deep", f"nested more than {MAX_DEPTH} levels")
    return frame


def _deeper_than(value: object, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level for inner in _children(outer)]
    return any(isinstance(value, dict | list) for value in level)


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
