"""Faust's consumer "thread", run as a plain service in the worker's own event loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from mode import Service
from mode.utils.locks import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from faust.types import TP

LEAVE_TIMEOUT_S = 5.0
"""Longest wait for the broker's goodbye; without it, the group notices by the session timeout."""


class InLoopConsumerThread(AIOKafkaConsumerThread):
    """Undo what `ServiceThread` adds to `Service`, and call instead of queueing."""

    abstract = True
    wait_for_shutdown = False

    def __init__(self, consumer: Any, *, loop: Any, **kwargs: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, **kwargs)

    start = Service.start
    maybe_start = Service.maybe_start
    stop = Service.stop
    crash = Service.crash  # type: ignore[assignment]  # it names the argument differently
    set_shutdown = Service.set_shutdown
    _stopped_set = Service._stopped_set  # noqa: SLF001  # undoing an override
    _stop_children = Service._stop_children  # noqa: SLF001  # undoing an override
    _stop_futures = Service._stop_futures  # noqa: SLF001  # undoing an override
    _stop_exit_stacks = Service._stop_exit_stacks  # noqa: SLF001  # undoing an override

    def _new_shutdown_event(self) -> Event:
        return Event(loop=self.loop)

    @Service.task
    async def _thread_keepalive(self) -> None:
        """No thread, nothing to keep alive."""

    async def on_stop(self) -> None:
        """Leave the group and close the connections."""
        if self._consumer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._consumer.stop(), LEAVE_TIMEOUT_S)

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call directly: there is no other thread."""
        result = fun(*args, **kwargs)
        return await result if isawaitable(result) else result

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Pass the rebalance on without a queue between."""
        await self.consumer.on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Pass the rebalance on without a queue between."""
        await self.consumer.on_partitions_assigned(assigned, generation_id)
