"""Frames of the protocol's dialects. One class each; `dome` is the only one so far."""

from __future__ import annotations

from typing import Final

import orjson


class Dome:
    """
    Dome's own frames.

    Its error frames are not documented; these have the shape that the compatible provider Predexon uses.
    """

    name: Final = "dome"
    path: Final = "/{key}"
    """Where sockets connect."""

    def ack(self, subscription: str) -> bytes:
        """Return the answer to a request that was accepted."""
        return orjson.dumps({"type": "ack", "subscription_id": subscription})

    def error(self, code: str, message: str) -> bytes:
        """Return the answer to a request that was refused."""
        return orjson.dumps({"type": "error", "code": code, "message": message})

    def event(self, subscription: str, data: bytes) -> bytes:
        """Return an event around an encoded order."""
        return b'{"type":"event","subscription_id":"%b","data":%b}' % (subscription.encode(), data)
