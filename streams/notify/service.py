"""The notifier, from its start to SIGTERM. Shell."""

from __future__ import annotations

import asyncio
import random
import signal
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import structlog
from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError

from connector.kafka.admin import ensure_topics
from connector.kafka.errors import KafkaShellError
from connector.process.mask import Mask
from connector.process.status import status_served
from streams.notify.clients import REBALANCE_S, clients
from streams.notify.clock import Clock
from streams.notify.ledger import Ledger
from streams.notify.metrics import Metrics
from streams.notify.outcome import Attempt, wait_s
from streams.notify.restoring import restore
from streams.notify.session import Session
from streams.topics import ALERTS, NOTIFY_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import AIOKafkaConsumer, TopicPartition

    from streams.notify.config import Config
    from streams.notify.settings import NotifySettings

_STALLED_S = 120.0
"""Longest time without a step of the main loop, unless Kafka is away."""

_STUCK_S = 300.0
"""Longest attempt: all of them have limits of their own far below."""

_RESTORE_S = 90.0
"""Longest time to read what was under way; then it is tried again."""

_STOP_S = 20.0
"""For the last session to end: an attempt to send, and what is to be remembered."""

log = structlog.get_logger(__name__)


class Service(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is not typed
    """Holds what lives as long as the process, and a session per assignment."""

    def __init__(self, settings: NotifySettings, config: Config) -> None:
        self._settings = settings
        self._config = config
        self._metrics = Metrics(config.receivers)
        self._clock = Clock()
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._assigned: set[TopicPartition] | None = None
        self._released = asyncio.Event()
        self._released.set()
        self._session: Session | None = None
        self._ledger: Ledger | None = None
        self._stepped_at = self._loop.time()

    async def run(self) -> None:
        """
        Work until SIGTERM or SIGINT.

        Raises:
            KafkaShellError, ContractError: no Kafka, or its topics are others than the contract's.
            OSError: STATUS_ADDRESS cannot be served.
        """
        settings = self._settings
        await ensure_topics(
            settings.kafka,
            [spec.prefixed(settings.topic_prefix) for spec in (ALERTS, *NOTIFY_TOPICS)],
            partitions=settings.partitions,
            replication=settings.replication,
            **settings.client(),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as stack:
            address = await stack.enter_async_context(
                status_served(
                    settings.status_address, registry=self._metrics.registry, live=self._live, ready=self._ready
                )
            )
            self._metrics.before_scrapes(self._gauges)
            producer, consumer = await stack.enter_async_context(clients(settings))
            consumer.subscribe([settings.topic_prefix + ALERTS.name], listener=self)
            log.info("notify.started", status=address, receivers=sorted(self._config.receivers))
            self._ledger = Ledger(producer, settings.topic_prefix)
            await self._until_stopped(asyncio.create_task(self._sessions(consumer, self._ledger), name="sessions"))
            log.info("notify.stopped")

    async def _until_stopped(self, sessions: asyncio.Task[None]) -> None:
        """Wait for the end, which may be a defect's; a session that hangs is left."""
        stopping = asyncio.create_task(self._stop.wait(), name="stop")
        await asyncio.wait({sessions, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.wait({sessions}, timeout=_STOP_S)
        sessions.cancel()
        with suppress(asyncio.CancelledError):
            await sessions

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Have the session end before others get its partitions."""
        self._assigned = None
        try:
            async with asyncio.timeout(REBALANCE_S / 2):
                await self._released.wait()
        except TimeoutError:
            log.warning("notify.release_slow", partitions=sorted(tp.partition for tp in revoked))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin another session."""
        self._assigned = set(assigned)

    async def _sessions(self, consumer: AIOKafkaConsumer, ledger: Ledger) -> None:
        failures = 0
        while not self._stop.is_set():
            self._stepped()
            if self._assigned is None:
                await self._pause(0.2)
                continue
            self._released.clear()
            try:
                await self._session_of(consumer, ledger, self._assigned)
                failures = 0
            except (KafkaError, KafkaShellError, IllegalStateError, TimeoutError) as error:
                failures += 1
                log.warning("notify.interrupted", error=f"{type(error).__name__}: {error}")
                await self._pause(wait_s(failures, Attempt("retry"), random.random()))  # noqa: S311  # not cryptography
            finally:
                self._session = None
                self._released.set()

    async def _session_of(self, consumer: AIOKafkaConsumer, ledger: Ledger, assigned: set[TopicPartition]) -> None:
        async with asyncio.timeout(_RESTORE_S):
            begins, groups = await restore(consumer, assigned, self._settings, self._config)
        self._session = Session(
            consumer,
            begins,
            groups,
            config=self._config,
            ledger=ledger,
            mask=Mask(self._config.secrets),
            metrics=self._metrics,
            clock=self._clock,
        )
        await self._session.run(lambda: self._stop.is_set() or self._assigned is not assigned, self._stepped)

    def _stepped(self) -> None:
        self._stepped_at = self._loop.time()

    def _live(self) -> str:
        silent = self._loop.time() - self._stepped_at
        if silent > _STALLED_S and not self._away:
            return f"no step for {silent:.0f} s"
        stuck = self._session.stuck_s() if self._session is not None else 0.0
        return f"an attempt to send is stuck for {stuck:.0f} s" if stuck > _STUCK_S else ""

    def _ready(self) -> str:
        if self._assigned is None:
            return "waiting for the group to assign partitions"
        if self._away:
            return "Kafka does not take what is to be remembered"
        return "" if self._session is not None else "reading what was under way"

    @property
    def _away(self) -> bool:
        return self._ledger is not None and self._ledger.away

    def _gauges(self) -> None:
        if self._session is not None:
            self._session.gauges()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass
