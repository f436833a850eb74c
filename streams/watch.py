"""Looks after the worker from beside: asks Kafka for the ends of its partitions, and tells `streams.health`. Shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connector.kafka.closing import close_consumer
from streams.health import LOOKS_S, Health, Seen, unready

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.rules_log import RulesLog
    from streams.shards.kafka import ClientOptions
    from streams.shards.owner import Owner

_TIMEOUT_S = 5.0

_RULES_UNKNOWN_S = 5.0
"""Orders wait for rules that are older than a fraction of a second; an operator need not hear of that."""


class Ends:
    """
    Asks Kafka where partitions end, over a connection of its own.

    What the worker's own consumer knows of ends comes with what it fetches: were it to stop fetching, it would seem to
    have read everything.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._consumer: AIOKafkaConsumer | None = None

    async def ask(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int] | None:
        """Return the offset that the next record of each will have; None: not all could be had in time."""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                if self._consumer is None:
                    self._consumer = AIOKafkaConsumer(**self._options, enable_auto_commit=False)
                    await self._consumer.start()
                ends: dict[TopicPartition, int] = await self._consumer.end_offsets(list(partitions))
        except (KafkaError, TimeoutError):
            await self.close()
            return None
        return ends

    async def close(self) -> None:
        """Disconnect, without waiting for a broker that is away."""
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await close_consumer(consumer)


class Watch:
    """Answers `/livez` and `/readyz`."""

    def __init__(
        self, options: ClientOptions, owner: Owner, rules: RulesLog, health: Health, *, always: TopicPartition
    ) -> None:
        """`always` is asked about even while the worker has no partitions, to see whether Kafka answers."""
        self._asking = Ends(options)
        self._owner = owner
        self._rules = rules
        self._health = health
        self._always = always
        self.ends: dict[TopicPartition, int] | None = {}
        """As Kafka told them last; None: it did not answer."""

    async def run(self) -> None:
        """Look regularly, until cancelled."""
        try:
            while True:
                shards = [TopicPartition(shard.topic, shard.partition) for shard in self._owner.standings()]
                self.ends = await self._asking.ask([self._always, *shards])
                self._health.look(self._seen(), time.monotonic())
                await asyncio.sleep(LOOKS_S)
        finally:
            await self._asking.close()

    def live(self) -> str:
        """Return what only a restart can help. That it is returned at all says that the event loop turns."""
        return self._health.wedged(time.monotonic())

    def ready(self) -> str:
        """Return why the worker does not do its work now."""
        return "stopping" if self._owner.closed else unready(self._seen())

    def _seen(self) -> Seen:
        now = time.monotonic()
        known = now - self._rules.known_at < _RULES_UNKNOWN_S
        return Seen(joined=self._owner.joined, ends=self.ends, rules_known=known, shards=self._owner.standings())
