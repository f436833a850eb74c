"""The Faust app: two agents that hand mailboxes to shards."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import faust
from aiokafka.partitioner import murmur2
from msgspec import structs

from connector.contract.topics import ORDERS, ORDERS_DEAD
from connector.kafka.admin import ensure_topics
from streams.effects import Topics
from streams.fold import MarketFold, WalletFold
from streams.jobs import MarketJob, WalletJob
from streams.shards.outputs import Outputs
from streams.shards.owner import Owner
from streams.shards.shard import Shard
from streams.shards.timing import Timing
from streams.topics import STREAMS_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    from faust.types import StreamT

    from streams.rules.interface import Rules
    from streams.settings import Settings
    from streams.transport import Consumer, Mailbox


def create_app(settings: Settings, rules: Rules, *, folder: str, shard_type: type[Shard[Any]] = Shard) -> faust.App:
    """Return the worker's app. `folder` is Faust's data folder, which stays empty."""
    app = _faust_app(settings, folder)
    topics = Topics(settings.topic_prefix, settings.source_topic)
    options = {"bootstrap_servers": settings.kafka}
    outputs = Outputs(options)
    owner = Owner(
        [
            WalletJob(WalletFold(rules), topics, partitioner(settings.partitions)),
            MarketJob(MarketFold(rules), topics),
        ],
        options=options,
        consumer=lambda: cast("Consumer", app.consumer),
        outputs=outputs,
        timing=Timing(remember_interval_s=settings.remember_interval),
        release_timeout_s=settings.rebalance_timeout / 3,
        on_defect=app.crash,
        shard_type=shard_type,
    )
    _follow_the_group(app, owner, outputs)
    for name, topic in (("wallets", topics.orders), ("markets", topics.orders_by_market)):
        _agent(app, name, topic, owner)
    return app


def partitioner(partitions: int) -> Callable[[bytes], int]:
    """Return Kafka's default partitioner for keys, remembering its answers: it is slow in Python."""

    @lru_cache(maxsize=100_000)
    def partition_of(key: bytes) -> int:
        return int(murmur2(key) & 0x7FFFFFFF) % partitions

    return partition_of


def _faust_app(settings: Settings, folder: str) -> faust.App:
    return faust.App(
        settings.topic_prefix + settings.group_id,
        broker=[f"batch://{server.strip()}" for server in settings.kafka.split(",")],
        datadir=folder,
        key_serializer="raw",
        value_serializer="raw",
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.session_timeout / 4,
        broker_rebalance_timeout=settings.rebalance_timeout,
        broker_request_timeout=max(40.0, settings.session_timeout),
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        table_standby_replicas=0,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )


async def prepare_topics(settings: Settings) -> None:
    """Create or verify the topics that the worker reads and writes."""
    derived = [spec.prefixed(settings.topic_prefix) for spec in (ORDERS_DEAD, *STREAMS_TOPICS)]
    specs = [structs.replace(ORDERS, name=settings.source_topic), *derived]
    await ensure_topics(settings.kafka, specs, partitions=settings.partitions, replication=settings.replication)


def _follow_the_group(app: faust.App, owner: Owner, outputs: Outputs) -> None:
    ticking: list[asyncio.Task[None]] = []

    @app.on_partitions_assigned.connect
    async def assigned(_app: Any, /, *partitions: Any, **_: Any) -> None:
        owner.assign(*partitions)
        if not ticking:
            ticking.append(asyncio.create_task(owner.tick_forever(), name="ticks"))

    @app.on_partitions_revoked.connect
    async def revoked(*_: Any, **__: Any) -> None:
        await owner.revoke()

    @app.on_before_shutdown.connect
    async def stopping(*_: Any, **__: Any) -> None:
        for task in ticking:
            task.cancel()
        await owner.close()
        await outputs.close()


def _agent(app: faust.App, name: str, topic: str, owner: Owner) -> None:
    @app.agent(app.topic(topic, key_type=bytes, value_type=bytes), name=name)
    async def agent(mailboxes: StreamT[Mailbox]) -> None:
        async for mailbox in mailboxes:
            owner.deliver(mailbox)
