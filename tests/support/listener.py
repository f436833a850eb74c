"""A receiver of notifications over HTTP that keeps what it gets, and fails when told to."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    Decide = Callable[[int], int]
    """The number of a request, from 0, to the status it gets."""

LIMIT_S = 60.0


class Got(NamedTuple):
    """A request."""

    path: str
    headers: Mapping[str, str]
    raw: bytes
    status: int

    @property
    def body(self) -> Any:
        """Return what was posted."""
        return json.loads(self.raw)

    @property
    def key(self) -> str:
        """Return its idempotency key."""
        return self.headers["Idempotency-Key"]


class Listener:
    """Answers 200, or what `decide` says; `hold` keeps answers back while it is set."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.decide: Decide = lambda _: 200
        self.held = asyncio.Event()
        self.held.set()
        self.port = 0
        self._more = asyncio.Condition()

    @property
    def accepted(self) -> list[Got]:
        """Return the requests that were taken."""
        return [each for each in self.got if each.status == 200]

    async def until(self, done: Callable[[Listener], object]) -> None:
        """Wait until what was got is enough; only so long for each request."""
        try:
            async with self._more:
                while not done(self):
                    async with asyncio.timeout(LIMIT_S):
                        await self._more.wait()
        except TimeoutError as error:
            shown = [(each.path, each.status, each.raw[:300]) for each in self.got[-5:]]
            raise AssertionError(f"nothing came for {LIMIT_S:.0f} s: {len(self.got)}, {shown}") from error

    async def handle(self, request: web.Request) -> web.Response:
        """Keep a request, and answer it."""
        raw = await request.read()
        status = self.decide(len(self.got))
        async with self._more:
            self.got.append(Got(request.path, dict(request.headers), raw, status))
            self._more.notify_all()
        await self.held.wait()
        return web.Response(status=status)


@asynccontextmanager
async def listening(port: int = 0) -> AsyncIterator[Listener]:
    """Serve on a port of loopback, a free one unless told."""
    listener = Listener()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", listener.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        listener.port = runner.addresses[0][1]
        yield listener
    finally:
        listener.held.set()
        await runner.cleanup()
