"""Whom the notifier tells: one who listens and one who is not there. Shell."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_CONFIG: Final = """
receivers:
  - name: listens
    webhook: {{url: "http://127.0.0.1:{listens}/", secret: nobody-minds-this-one}}
  - name: absent
    webhook: {{url: "http://127.0.0.1:{absent}/", secret: nobody-minds-this-one}}
    retry_for: 5s
route:
  receiver: listens
  group_by: [rule]
  group_wait: 1s
  group_interval: 2s
  repeat_interval: 1m
  routes:
    - {{matchers: [severity = info], receiver: absent}}
"""


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


def notifier_environment(folder: Path, *, listens: int, absent: int) -> dict[str, str]:
    """Return the notifier's settings: whoever is at the port `listens` is told, at `absent` nobody is."""
    config = folder / "notify.yaml"
    config.write_text(_CONFIG.format(listens=listens, absent=absent), encoding="utf-8")
    return {"NOTIFY_CONFIG": str(config)}
