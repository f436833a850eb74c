"""Reads `rules.v1`, first to its end, then on and on. Shell over `streams.rules.registry`."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connector.kafka.closing import close_consumer
from streams.rules.registry import Change, Refused
from streams.shards.timing import Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiokafka.structs import ConsumerRecord

    from streams.rules.registry import Registry
    from streams.shards.kafka import ClientOptions

LOOKS: Final = 8
"""How often the end of the topic is asked for within the delay of a change."""
TIMEOUT_S: Final = 5.0
RETRY_S: Final = 0.5

log = structlog.get_logger(__name__)


class RulesLog:
    """
    Keeps a registry up to date; implements `streams.shards.following.Following`.

    Args:
        options: Of every client.
        topic: The deployment's `rules.v1`.
        registry: What the records go to.
        delay_s: The registry's delay. What is appended after a moment takes effect so much later, so rules count as
            known for a while after nothing of the topic was unread: for half the delay, the rest is for the clocks of
            brokers that differ.
    """

    def __init__(
        self,
        options: ClientOptions,
        topic: str,
        registry: Registry,
        *,
        delay_s: float,
    ) -> None:
        self._options = options
        self._tp = TopicPartition(topic, 0)
        self._registry = registry
        self._wait_ms = max(1, round(delay_s * 1_000 / LOOKS))
        self._known_for_s = delay_s / 2
        self.known_at = -math.inf
        """When nothing of the topic was unread last; seconds of the monotonic clock."""
        self._next: int | None = None
        self._read_once = False
        self._unreachable = False
        self._refusals = 0

    @property
    def version(self) -> int:
        """Grows with every change."""
        return self._registry.editions.version

    def known(self) -> bool:
        """Return whether all changes are known that concern orders which have reached us by now."""
        return time.monotonic() - self.known_at < self._known_for_s

    async def follow(self, on_known: Callable[[], None]) -> None:
        """Read until cancelled, whatever becomes of the broker; calls back when rules are known that were not."""
        while True:
            try:
                await self._read(on_known)
            except (KafkaError, TimeoutError) as error:
                if not self._unreachable:
                    log.warning("rules.unreachable", topic=self._tp.topic, error=repr(error))
                self._unreachable = True
                await asyncio.sleep(RETRY_S)

    async def _read(self, on_known: Callable[[], None]) -> None:
        consumer = AIOKafkaConsumer(
            **self._options,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=self._wait_ms,  # the question for the end waits behind a fetch under way
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):  # `wait_for` may take a cancellation for itself
                await consumer.start()
            consumer.assign([self._tp])
            await self._seek(consumer)
            while True:
                await self._catch_up(consumer, on_known)
                await self._absorb((await consumer.getmany(self._tp, timeout_ms=self._wait_ms)).get(self._tp, ()))
        finally:
            await close_consumer(consumer)

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        """Go to where reading goes on, or to the beginning where this is another topic by now."""
        begin = await self._offset(consumer.beginning_offsets)
        if self._next is not None and not begin <= self._next <= await self._offset(consumer.end_offsets):
            log.error("rules.topic_recreated", topic=self._tp.topic, next=self._next)
            self._report(self._registry.restart())
            self._next = None
        self._next = begin if self._next is None else self._next
        consumer.seek(self._tp, self._next)

    async def _catch_up(self, consumer: AIOKafkaConsumer, on_known: Callable[[], None]) -> None:
        """Read up to the end that the topic had when this was called."""
        asked = heard = time.monotonic()
        end = await self._offset(consumer.end_offsets)
        while await consumer.position(self._tp) < end:
            if records := (await consumer.getmany(self._tp, timeout_ms=500)).get(self._tp):
                await self._absorb(records)
                heard = time.monotonic()
            elif time.monotonic() - heard > TIMEOUT_S:
                raise TimeoutError(f"offset {end} was not reached")
        known, self.known_at, self._unreachable = self.known(), asked, False
        if not known:
            self._first_time()
            on_known()

    async def _offset(self, ask: Callable[[list[TopicPartition]], Awaitable[dict[TopicPartition, int]]]) -> int:
        async with asyncio.timeout(TIMEOUT_S):
            return (await ask([self._tp]))[self._tp]

    async def _absorb(self, records: Sequence[ConsumerRecord]) -> None:
        pace = Pace()
        for event in self._registry.absorb(records):
            self._report(event)
            if pace.due():
                await asyncio.sleep(0)
        if records:
            self._next = records[-1].offset + 1
            if self._read_once:
                self._registry.prepare()

    def _first_time(self) -> None:
        if self._read_once:
            return
        self._read_once = True
        self._registry.prepare()
        if rules := self._registry.topic_names():
            log.info("rules.read", topic=self._tp.topic, rules=len(rules), refused=len(self._registry.refused()))

    def _report(self, event: Refused | Change | None) -> None:
        if isinstance(event, Refused):
            self._refusals += 1
            log.error("rule.refused", rule=event.name, why=event.why, refused=self._refusals)
        elif isinstance(event, Change) and self._read_once:
            told = {name: names for name, names in event._asdict().items() if names}
            log.info("rules.changed", **told)
