"""
A lane: records for one partition, sent in order, in batches that grow while an earlier one waits.

aiokafka holds back a second batch of a partition until the first one has left. Who folds must not
wait for that, so a task of the lane does.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from aiokafka.errors import ProducerClosed

from streams.shards.kafka import forget, send_bulk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import AIOKafkaProducer

    from streams.effects import Item

LIMIT = 20_000
"""Records waiting at which who folds has to wait after all."""

SHARED_REQUEST_S = 0.005
"""Shortest time between two sends of a worker's lanes: what is put meanwhile shares one request to the broker."""


class Turnstile:
    """Lets the first lane pass at once, and those that come soon after it pass together."""

    def __init__(self, interval_s: float = SHARED_REQUEST_S) -> None:
        self._interval_s = interval_s
        self._next = 0.0

    async def pass_through(self) -> None:
        """Wait for the next passage."""
        loop = asyncio.get_running_loop()
        wait = self._next - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        self._next = loop.time() + self._interval_s


Receipt = asyncio.Future[None]


class Lane:
    """Sends what is put, in order; each put gets a receipt that is done when all of it is acknowledged."""

    def __init__(self, producer: AIOKafkaProducer, turnstile: Turnstile, topic: str, partition: int) -> None:
        self._producer = producer
        self._turnstile = turnstile
        self._topic = topic
        self._partition = partition
        self._waiting: list[Item] = []
        self._receipt: Receipt = asyncio.get_running_loop().create_future()
        self._filled = asyncio.Event()
        self._taken = asyncio.Event()
        self._error: Exception | None = None
        self._task = asyncio.create_task(self._send_forever(), name=f"lane {topic} {partition}")

    async def put(self, items: Sequence[Item]) -> Receipt:
        """
        Queue the items; waits only while the lane is full.

        Raises:
            KafkaError: an earlier send failed, so nothing after it can be in order; a defect is raised as it is.
        """
        while len(self._waiting) >= LIMIT and self._error is None:
            self._taken.clear()
            await self._taken.wait()
        if self._error is not None:
            raise self._error
        self._waiting += items
        self._filled.set()
        return self._receipt

    def close(self) -> None:
        """Stop; what is not acknowledged yet fails."""
        self._task.cancel()
        self._fail(ProducerClosed(), self._receipt)

    async def _send_forever(self) -> None:
        while self._error is None:
            await self._filled.wait()
            await self._turnstile.pass_through()
            self._filled.clear()
            items, self._waiting = self._waiting, []
            receipt, self._receipt = self._receipt, asyncio.get_running_loop().create_future()
            self._taken.set()
            try:
                sent = await send_bulk(self._producer, self._topic, self._partition, items)
            except Exception as error:  # noqa: BLE001  # whoever holds a receipt has to hear of a defect, too
                self._fail(error, receipt)
                self._fail(error, self._receipt)
            else:
                asyncio.gather(*sent).add_done_callback(partial(self._settle, receipt))

    def _settle(self, receipt: Receipt, done: asyncio.Future[Any]) -> None:
        error = ProducerClosed() if done.cancelled() else done.exception()
        if isinstance(error, Exception):
            self._fail(error, receipt)
        elif not receipt.done():
            receipt.set_result(None)

    def _fail(self, error: Exception, receipt: Receipt) -> None:
        self._error = error
        self._taken.set()
        if not receipt.done():
            receipt.set_exception(error)
            forget([receipt])
