"""What operators ask a worker, served in its own event loop. Shell."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import structlog

from connector.process.environment import SettingsError
from connector.process.status import status_served

if TYPE_CHECKING:
    from streams.metrics import Metrics
    from streams.watch import Watch

log = structlog.get_logger(__name__)


class Status:
    """Serves from before the worker joins its group to its end, if there is an address to serve at."""

    def __init__(self, address: str, metrics: Metrics, watch: Watch) -> None:
        self._address = address
        self._metrics = metrics
        self._watch = watch
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """
        Serve, and look after the worker.

        Raises:
            SettingsError: the address is taken, or not ours.
        """
        if not self._address:
            return
        address = await self._served()
        watching = asyncio.create_task(self._look(), name="watch")
        self._stack.push_async_callback(_ended, watching)
        log.info("status.served", address=address)

    async def _served(self) -> str | None:
        served = status_served(
            self._address, registry=self._metrics.registry, live=self._watch.live, ready=self._watch.ready
        )
        try:
            return await self._stack.enter_async_context(served)
        except OSError as error:
            raise SettingsError(
                f"STATUS_ADDRESS ({self._address!r}): cannot be served at ({error.strerror or error}). Remedy: set"
                " STATUS_ADDRESS to an address of this machine, and a port that is free."
            ) from error

    async def _look(self) -> None:
        try:
            await self._watch.run()
        except Exception as error:  # /livez says that nobody looks any more, and a restart may help
            log.critical("watch.failed", exc_info=error)

    async def close(self) -> None:
        """Stop both."""
        await self._stack.aclose()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
