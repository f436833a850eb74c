"""Whom the notifier tells: one who listens and one who is not there. Shell."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def people() -> AsyncIterator[int]:
    """Take every notification, at a port of loopback."""

    async def taken(_request: web.Request) -> web.Response:
        return web.Response(text="taken")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", taken)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def notifier_environment(folder: Path, port: int) -> dict[str, str]:
    """Return the notifier's settings."""
    raise NotImplementedError(folder, port)
