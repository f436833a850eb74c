"""A notifier under test: a process of its own, its configuration, and the alerts it reads."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from connector.kafka.admin import ensure_topics
from connector.kafka.reader import read_all
from streams.notify.records import DeadNotification, decode
from streams.records import encode
from streams.topics import ALERTS, NOTIFICATIONS, NOTIFICATIONS_DEAD, NOTIFY_TOPICS
from tests.support.child import started
from tests.support.status import StatusClient

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path
    from types import TracebackType

    from streams.records import Alert

PARTITIONS = 4
LIMIT_S = 60.0
SECRET = "a secret nobody may see"


class Deployment:
    """Topics of its own, and notifiers on them."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.folder = folder
        self.log = folder / "notify.log"

    async def __aenter__(self) -> Self:
        specs = [spec.prefixed(self.prefix) for spec in (ALERTS, *NOTIFY_TOPICS)]
        await ensure_topics(self.bootstrap, specs, partitions=PARTITIONS)
        self._producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=2)
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()

    def configure(self, text: str) -> None:
        """Write the file of notifications."""
        (self.folder / "notify.yaml").write_text(text)

    async def publish(self, *alerts: Alert | bytes) -> None:
        """Publish alerts, as workers do: keyed by fingerprint; bytes are what they are."""
        topic = self.prefix + ALERTS.name
        sent = [
            await self._producer.send(topic, each, partition=0)
            if isinstance(each, bytes)
            else await self._producer.send(topic, encode(each), key=each.fingerprint.encode())
            for each in alerts
        ]
        await asyncio.gather(*sent)

    @asynccontextmanager
    async def notifier(self) -> AsyncIterator[Notifier]:
        """Run a notifier that is ready."""
        async with StatusClient() as status:
            settings: dict[str, Any] = {
                "KAFKA": self.bootstrap,
                "TOPIC_PREFIX": self.prefix,
                "PARTITIONS": PARTITIONS,
                "NOTIFY_CONFIG": self.folder / "notify.yaml",
                "STATUS_ADDRESS": status.address,
                "SESSION_TIMEOUT": 6,
                "LOG_FORMAT": "json",
                "WEBHOOK_SECRET": SECRET,
            }
            async with started(self.folder, "streams", "notify", settings=settings, log=self.log) as process:
                await status.until("/readyz", 200)
                yield Notifier(process, status)

    async def dead(self) -> list[DeadNotification]:
        """Return the dead letters."""
        records = await read_all(self.bootstrap, self.prefix + NOTIFICATIONS_DEAD.name)
        return [decode(DeadNotification, record.value) for record in records]

    async def remembered(self) -> set[str]:
        """Return the keys of what is remembered."""
        last = {record.key: record.value for record in await read_all(self.bootstrap, self.prefix + NOTIFICATIONS.name)}
        return {key.decode() for key, value in last.items() if value is not None}

    async def until_forgotten(self) -> None:
        """Wait until nothing is remembered."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while await self.remembered():  # noqa: ASYNC110 - a topic has no event
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise AssertionError(f"remembered: {await self.remembered()}") from error

    async def committed(self) -> int:
        """Return how many alerts are committed, of all partitions."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            group = f"{self.prefix}walletstream-notify"
            offsets = await admin.list_consumer_group_offsets(group)
        finally:
            await admin.close()
        return sum(each.offset for tp, each in offsets.items() if isinstance(tp, TopicPartition))

    async def until_committed(self, alerts: int) -> None:
        """Wait until so many are."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while await self.committed() != alerts:  # noqa: ASYNC110 - a group has no event
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise AssertionError(f"{await self.committed()} committed, not {alerts}") from error


class Notifier:
    """A running one."""

    def __init__(self, process: Process, status: StatusClient) -> None:
        self.process = process
        self.status = status

    async def outcomes(self) -> dict[str, int]:
        """Return the counted alerts by outcome."""
        metrics = await self.status.metrics()
        names: Iterable[str] = ("queued", "silenced", "unrouted", "unwanted", "repeated", "dead")
        return {name: int(metrics.total("walletstream_notify_alerts_total", outcome=name)) for name in names}

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(LIMIT_S):
            return await self.process.wait()

    async def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        await self.process.wait()
