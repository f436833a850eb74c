"""
A provider's socket that does one thing: send prepared frames at a given times and note when.

Its REST side, on the same port, knows of no order, so that a client that asks gets a good answer.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.bench.prepared import SUBSCRIPTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.http11 import Request, Response

    from tests.bench.loads import Load
    from tests.bench.prepared import Frame


_NO_ORDERS = '{"orders":[],"pagination":{"limit":1000,"total":0,"has_more":false}}'


class Sender:
    """Serves one client at a time, on a free port of the loopback interface."""

    def __init__(self) -> None:
        self.port = 0
        self._server: Server | None = None
        self._subscriber: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    @property
    def url(self) -> str:
        """Where clients connect; any path will do."""
        return f"ws://127.0.0.1:{self.port}"

    async def send(self, frames: Sequence[Frame], load: Load) -> dict[str, int]:
        """Wait for a subscriber, send all frames when their time has come; return event id -> unix ns of sending."""
        socket = await asyncio.wait_for(self._subscriber, 30.0)
        sent: dict[str, int] = {}
        start = time.perf_counter()
        for at, frame in zip(load.times(), frames, strict=False):
            wait = start + at - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            sent[frame.event_id] = time.time_ns()
            await socket.send(frame.text)
        return sent

    async def _converse(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in socket:
                if orjson.loads(message).get("action") == "subscribe":
                    await socket.send(orjson.dumps({"type": "ack", "subscription_id": SUBSCRIPTION}).decode())
                    if not self._subscriber.done():
                        self._subscriber.set_result(socket)

    async def __aenter__(self) -> Self:
        self._server = await serve(self._converse, "127.0.0.1", 0, compression=None, process_request=_rest)
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


def _rest(connection: ServerConnection, request: Request) -> Response | None:
    """Answer what is no handshake."""
    if "Upgrade" in request.headers:
        return None
    return connection.respond(HTTPStatus.OK, _NO_ORDERS)
