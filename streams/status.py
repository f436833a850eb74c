"""What operators ask a worker, served in its own event loop. Shell."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import structlog

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
            OSError: the address is taken, or not ours.
        """
        if not self._address:
            return
        address = await self._stack.enter_async_context(
            status_served(
                self._address, registry=self._metrics.registry, live=self._watch.live, ready=self._watch.ready
            )
        )
        watching = asyncio.create_task(self._watch.run(), name="watch")
        self._stack.push_async_callback(_ended, watching)
        log.info("status.served", address=address)

    async def close(self) -> None:
        """Stop both."""
        await self._stack.aclose()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
