"""What operators ask a running process over HTTP: is it alive, is it ready, and its metrics. Shell."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from connector.process.environment import fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from prometheus_client import CollectorRegistry

    Handler = Callable[[web.Request], Awaitable[web.Response]]
    Check = Callable[[], str]
    """Returns what is wrong, in words for an operator; an empty text when nothing is."""

_GRACE_S = 1.0
"""How long requests under way may take at the end."""


class StatusSettings(BaseSettings):
    """The setting to inherit."""

    status_address: str = Field(
        "", description="host:port to serve /livez, /readyz and /metrics at, port 0 for a free one; default: nowhere"
    )

    @field_validator("status_address")
    @classmethod
    def _address(cls, value: str) -> str:
        return value and host_and_port(value)


def host_and_port(value: str) -> str:
    """Return an address to listen at; raises a validator's fault unless it is host:port."""
    host, _, port = value.rpartition(":")
    if not (host and port.isdigit() and int(port) < 1 << 16):
        raise fault("should be host:port")
    return value


@asynccontextmanager
async def status_served(
    address: str, *, registry: CollectorRegistry, live: Check, ready: Check
) -> AsyncIterator[str | None]:
    """
    Serve `/livez`, `/readyz` (200 `ok`, or 503 and what is wrong) and `/metrics` in the meantime.

    Args:
        address: host:port, or nothing to serve nothing; port 0 takes a free one.
        registry: whose metrics are shown, in Prometheus' text format or OpenMetrics as the scraper asks; meanwhile it
            also tells the process's memory, CPU time, open files and start.
        live: asked for `/livez`: wrong means that only a restart helps.
        ready: asked for `/readyz`: wrong means that the process does not do its work yet, or not at the moment.

    Yields:
        The address that is served, its port filled in; None where nothing is.

    Raises:
        OSError: the address is taken, or not ours.
    """
    if not address:
        yield None
        return
    app = web.Application()
    app.add_routes(
        [web.get("/livez", _answer(live)), web.get("/readyz", _answer(ready)), web.get("/metrics", _metrics(registry))]
    )
    host, _, port = address.rpartition(":")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_S)
    await runner.setup()
    process = ProcessCollector(registry=registry)
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        yield f"{host}:{runner.addresses[0][1]}"
    finally:
        registry.unregister(process)
        await runner.cleanup()


def _answer(check: Check) -> Handler:
    async def answer(_request: web.Request) -> web.Response:
        wrong = check()
        return web.Response(text=f"{wrong or 'ok'}\n", status=503 if wrong else 200)

    return answer


def _metrics(registry: CollectorRegistry) -> Handler:
    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    return metrics
