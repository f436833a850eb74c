"""The notifier, from its start to SIGTERM. Shell."""

from __future__ import annotations

import asyncio
import random
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaConnectionError, KafkaError

from connector.kafka.admin import ensure_topics
from connector.kafka.errors import KafkaShellError
from connector.kafka.reach import unreachable
from connector.process.mask import Mask
from connector.process.status import status_served
from streams.notify.clock import Clock
from streams.notify.ledger import Ledger
from streams.notify.metrics import Metrics
from streams.notify.outcome import Attempt, wait_s
from streams.notify.restoring import restore
from streams.notify.session import Session
from streams.topics import ALERTS, NOTIFY_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import TopicPartition

    from streams.notify.config import Config
    from streams.notify.settings import NotifySettings

_STALLED_S = 60.0
"""Longest time without a step of the main loop, which is much faster even while Kafka is away."""

_STUCK_S = 300.0
"""Longest attempt: all of them have limits of their own far below."""

_REBALANCE_S = 30.0

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
        self._stepped_at = self._loop.time()

    async def run(self) -> None:
        """
        Work until SIGTERM or SIGINT.

        Raises:
            KafkaShellError, ContractError: no Kafka, or its topics are others than the contract's.
            OSError: STATUS_ADDRESS cannot be served.
        """
        settings = self._settings
        options: dict[str, Any] = {"bootstrap_servers": settings.kafka, **settings.client()}
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
            producer = AIOKafkaProducer(**options, acks="all", compression_type="gzip")
            consumer = self._consumer(options)
            for client in (producer, consumer):
                stack.push_async_callback(client.stop)
                await self._started(client)
            consumer.subscribe([settings.topic_prefix + ALERTS.name], listener=self)
            log.info("notify.started", status=address, receivers=sorted(self._config.receivers))
            await self._sessions(consumer, Ledger(producer, settings.topic_prefix))
            log.info("notify.stopped")

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Have the session end before others get its partitions."""
        self._assigned = None
        try:
            async with asyncio.timeout(_REBALANCE_S / 2):
                await self._released.wait()
        except TimeoutError:
            log.warning("notify.release_slow", partitions=sorted(tp.partition for tp in revoked))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin another session."""
        self._assigned = set(assigned)

    def _consumer(self, options: dict[str, Any]) -> AIOKafkaConsumer:
        session_ms = round(self._settings.session_timeout * 1_000)
        return AIOKafkaConsumer(
            **options,
            group_id=self._settings.topic_prefix + self._settings.notify_group_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # where nothing was committed, `restore` says where to begin
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 10,
            rebalance_timeout_ms=round(_REBALANCE_S * 1_000),
        )

    async def _started(self, client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
        try:
            await client.start()
        except KafkaConnectionError as error:
            raise await unreachable(self._settings.kafka, self._settings.client()) from error

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
            except (KafkaError, KafkaShellError, IllegalStateError) as error:
                failures += 1
                log.warning("notify.not_restored", error=f"{type(error).__name__}: {error}")
                await self._pause(wait_s(failures, Attempt("retry"), random.random()))  # noqa: S311  # not cryptography
            finally:
                self._session = None
                self._released.set()

    async def _session_of(self, consumer: AIOKafkaConsumer, ledger: Ledger, assigned: set[TopicPartition]) -> None:
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
        if silent > _STALLED_S:
            return f"no step for {silent:.0f} s"
        stuck = self._session.stuck_s() if self._session is not None else 0.0
        return f"an attempt to send is stuck for {stuck:.0f} s" if stuck > _STUCK_S else ""

    def _ready(self) -> str:
        if self._assigned is None:
            return "waiting for the group to assign partitions"
        return "" if self._session is not None else "reading what was under way"

    def _gauges(self) -> None:
        if self._session is not None:
            self._session.gauges()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass
