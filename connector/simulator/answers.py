"""HTTP answers that are no pages and no sockets."""

from __future__ import annotations

from math import ceil

import orjson
from aiohttp import web


def answer(status: int, error: str, message: str) -> web.Response:
    """Return a JSON answer of the documented shape."""
    body = orjson.dumps({"error": error, "message": message})
    return web.Response(status=status, body=body, content_type="application/json")


def turned_away(status: int, *, retry_after: bool, wait: float = 1.0) -> web.Response:
    """Return the answer of a server that has no time or no room; a 429 says when to come back, if it is to."""
    response = answer(status, "Too Many Requests" if status == 429 else "Error", f"status {status}")
    if status == 429 and retry_after:
        response.headers["Retry-After"] = str(ceil(wait))
    return response
