"""What the doctor looks at in Kafka, one after the other. Shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

from connector.contract.topics import CONNECTOR_TOPICS, COVERAGE, GAPS, ORDERS, ORDERS_DEAD, WATCHLIST
from connector.doctor import ask_kafka as ask
from connector.doctor import judge_kafka as judge
from connector.doctor import judge_wallets
from connector.doctor.checks import Check, counted, fail, ok, skip
from connector.doctor.judge_provider import Endpoint
from connector.doctor.reach import reached
from connector.kafka.admin import admin_client
from connector.kafka.errors import KafkaShellError
from connector.packing import Quota
from connector.watch.store import WatchStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aiokafka.admin import AIOKafkaAdminClient

    from connector.contract.topics import TopicSpec
    from connector.kafka.settings import KafkaSettings
    from connector.settings import Settings

_USED = (ORDERS, WATCHLIST, COVERAGE), (ORDERS, ORDERS_DEAD, COVERAGE, GAPS)
"""Topics that a connector reads, and those that it writes: no other right is asked for."""
_WHOLE_S = 60.0
_PORT = 9092
_AFTER = "Kafka cannot be used"


class Cluster:
    """
    Looks at a cluster; what later checks need of it stays here.

    Args:
        kafka: Where it is; enough for all but the group's keys and the quota.
        settings: All settings, or None where they are wrong.
    """

    def __init__(self, kafka: KafkaSettings, settings: Settings | None) -> None:
        self._kafka = kafka
        self._settings = settings
        self._security = kafka.client()
        self.running = 0
        """Connectors in the group."""

    async def checks(self) -> AsyncIterator[Check]:
        """Yield what was found, from the network up to the wallets."""
        async for check in self._servers(self._bootstrap()):
            yield check
        try:
            async with asyncio.timeout(_WHOLE_S), admin_client(self._kafka.kafka, self._security) as admin:
                async for check in self._inside(admin):
                    yield check
        except KafkaShellError as error:
            said, _, remedy = str(error).partition(": ")
            yield fail("kafka", said, remedy or "check KAFKA and the network")
        except (KafkaError, TimeoutError) as error:
            yield fail("kafka", f"it stopped answering: {type(error).__name__}", "look at the brokers' logs")
        else:
            return
        yield skip("topics, rights, group, quota", _AFTER)

    async def _inside(self, admin: AIOKafkaAdminClient) -> AsyncIterator[Check]:
        brokers = ask.brokers(admin)
        yield ok("kafka", f"{counted(len(brokers), 'broker')} by {self._security['security_protocol']}")
        told = [Endpoint(host, port, self._tls) for host, port in brokers]
        async for check in self._servers(where for where in told if where not in self._bootstrap()):
            yield judge.advertised(check)
        specs = [spec.prefixed(self._kafka.topic_prefix) for spec in CONNECTOR_TOPICS]
        seen = await ask.topics(admin, [spec.name for spec in specs])
        async for check in self._topics(admin, specs, seen, len(brokers)):
            yield check
        if self._settings is None:
            yield skip("group, quota", "they need the other settings")
            return
        async for check in self._group(admin, self._settings, list(seen)):
            yield check
        async for check in self._wallets(self._settings, seen):
            yield check

    async def _servers(self, where: Iterable[Endpoint]) -> AsyncIterator[Check]:
        for each in where:
            async for check in reached(each, self._security.get("ssl_context")):
                yield check

    def _bootstrap(self) -> list[Endpoint]:
        found = []
        for server in self._kafka.kafka.split(","):
            host, _, port = server.strip().rpartition(":")
            found.append(Endpoint((host or port).strip("[]"), int(port) if host else _PORT, self._tls))
        return found

    @property
    def _tls(self) -> bool:
        return "ssl_context" in self._security

    async def _topics(
        self, admin: AIOKafkaAdminClient, specs: list[TopicSpec], seen: dict[str, judge.Seen], brokers: int
    ) -> AsyncIterator[Check]:
        sizes: dict[str, Any] = {"partitions": self._kafka.partitions, "replication": self._kafka.replication}
        errors = await ask.creatable(admin, [spec for spec in specs if spec.name not in seen], **sizes)
        for spec in specs:
            if spec.name in seen:
                yield judge.topic(spec, seen[spec.name], brokers=brokers, **sizes)
            else:
                yield judge.creatable(spec, errors[spec.name], **sizes)

    async def _group(self, admin: AIOKafkaAdminClient, settings: Settings, topics: list[str]) -> AsyncIterator[Check]:
        prefix = settings.topic_prefix
        name = prefix + settings.connector_group
        read, written = ([prefix + spec.name for spec in specs if prefix + spec.name in topics] for specs in _USED)
        for check in judge.rights(await ask.rights(admin, read=read, written=written, group=name), name):
            yield check
        found = await ask.group(admin, name)
        if isinstance(found, str):
            yield fail(
                "connectors", f"group {name}: {found}", "allow Describe on the group, or wait for its coordinator"
            )
            return
        self.running = len(found.members)
        for check in judge.group(found, keys=_keys(settings), replica_set=settings.replica is not None):
            yield check

    async def _wallets(self, settings: Settings, seen: dict[str, judge.Seen]) -> AsyncIterator[Check]:
        prefix = settings.topic_prefix
        store = WatchStore(settings)
        if {prefix + WATCHLIST.name, prefix + COVERAGE.name} <= seen.keys():
            await store.refresh()
        listed, now_ms = store.listed, time.time_ns() // 1_000_000
        rows = listed.rows()
        if (check := judge_wallets.readable(listed)) is not None:
            yield check
        yield judge_wallets.standing(rows, now_ms)
        wallets = {*settings.wallets, *(row.wallet for row in rows if row.watch is not None)}
        for check in judge_wallets.quota(
            wallets, settings.quota, keys=_keys(settings), replicas=settings.replicas, mirror=_mirror(settings)
        ):
            yield check
        yield judge_wallets.since(rows, retention_ms=_retention(seen.get(prefix + ORDERS.name)), now_s=now_ms // 1000)


def _keys(settings: Settings) -> int:
    """Return the number of keys of all replicas together."""
    return len(settings.secrets) - len(settings.mirror_keys)


def _mirror(settings: Settings) -> Quota | None:
    if not settings.mirror_keys:
        return None
    each = settings.mirror_dialect.quotas[settings.mirror_tier]
    return Quota(each.subscriptions * len(settings.mirror_keys), each.wallets_each)


def _retention(orders: judge.Seen | None) -> int | None:
    """Return milliseconds; None where it is not known, or has no end."""
    kept = int(((orders and orders.config) or {}).get("retention.ms", "-1"))
    return kept if kept >= 0 else None
