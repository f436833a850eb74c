"""The Faust app: two agents that hand mailboxes to shards."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import faust
import structlog
from aiokafka import TopicPartition
from msgspec import structs

from connector.contract.topics import ORDERS, ORDERS_DEAD
from connector.kafka.admin import ensure_topics
from connector.kafka.partitioner import partitioner
from streams.effects import Topics
from streams.fold import MarketFold, WalletFold
from streams.gauges import Gauges
from streams.health import Health
from streams.jobs import Job, MarketJob, WalletJob
from streams.metrics import Metrics
from streams.rules.engine import Engine
from streams.rules_log import RulesLog
from streams.shards.outputs import Outputs
from streams.shards.owner import Owner
from streams.shards.shard import Shard
from streams.shards.timing import HISTORY_MS, Timing
from streams.status import Status
from streams.topics import WORKER_TOPICS
from streams.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from faust.types import StreamT
    from faust.types.auth import CredentialsT

    from streams.rules.registry import Registry
    from streams.settings import Settings
    from streams.transport import Consumer, Mailbox

log = structlog.get_logger(__name__)


def both_halves(settings: Settings, topics: Topics, rules: Engine) -> Sequence[Job[Any]]:
    """Return the jobs of a worker: wallets and markets."""
    return (
        WalletJob(WalletFold(rules), topics, partitioner(settings.partitions)),
        MarketJob(MarketFold(rules, settings.horizons), topics),
    )


def create_app(
    settings: Settings,
    registry: Registry,
    *,
    folder: str,
    shard_type: type[Shard[Any]] = Shard,
    jobs: Callable[[Settings, Topics, Engine], Sequence[Job[Any]]] = both_halves,
) -> tuple[faust.App, Status]:
    """
    Return the worker's app, and what to serve beside it. `folder` is Faust's data folder, which stays empty.

    `shard_type` and `jobs` are for experiments with other ways to admit, and with less to do.
    """
    app = _faust_app(settings, folder)
    topics = Topics(settings.topic_prefix, settings.source_topic)
    options = {"bootstrap_servers": settings.kafka, **settings.client()}
    outputs = Outputs(options)
    rules = Engine(registry.editions, topic=settings.source_topic)
    rules_log = RulesLog(options, topics.rules, registry, delay_s=settings.rules_delay)
    metrics = Metrics()
    working = jobs(settings, topics, rules)
    owner = Owner(
        working,
        options=options,
        consumer=lambda: cast("Consumer", app.consumer),
        outputs=outputs,
        timing=Timing(
            remember_interval_s=settings.remember_interval,
            history_ms=HISTORY_MS if settings.history == "quiet" else None,
        ),
        release_timeout_s=settings.rebalance_timeout / 3,
        on_defect=app.crash,
        metrics=metrics,
        rules=rules_log,
        shard_type=shard_type,
    )
    health = Health(limit_s=settings.wedged_after, joining_s=settings.rebalance_timeout, now=time.monotonic())
    watch = Watch(options, owner, rules_log, health, always=TopicPartition(topics.rules, 0))
    metrics.before_scrapes(Gauges(metrics, owner, rules, watch).refresh)
    status = Status(settings.status_address, metrics, watch)
    _follow_the_group(app, owner, outputs, rules_log, status)
    for job in working:
        _agent(app, job.label, job.source_topic, owner)
    return app, status


def _faust_app(settings: Settings, folder: str) -> faust.App:
    return faust.App(
        settings.topic_prefix + settings.group_id,
        broker=[f"batch://{server.strip()}" for server in settings.kafka.split(",")],
        broker_credentials=_credentials(settings.client()),
        datadir=folder,
        key_serializer="raw",
        value_serializer="raw",
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.session_timeout / 4,
        broker_rebalance_timeout=settings.rebalance_timeout,
        consumer_group_instance_id=settings.group_instance_id or None,
        broker_request_timeout=max(40.0, settings.session_timeout),
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        table_standby_replicas=0,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )


def _credentials(client: Mapping[str, Any]) -> CredentialsT | None:
    """Return what Faust wants instead of aiokafka's keyword arguments."""
    context = client.get("ssl_context")
    if "sasl_mechanism" in client:
        return faust.SASLCredentials(
            username=client["sasl_plain_username"],
            password=client["sasl_plain_password"],
            mechanism=client["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


async def prepare_topics(settings: Settings) -> None:
    """Create or verify the topics that the worker reads and writes."""
    derived = [spec.prefixed(settings.topic_prefix) for spec in (ORDERS_DEAD, *WORKER_TOPICS)]
    specs = [structs.replace(ORDERS, name=settings.source_topic), *derived]
    await ensure_topics(
        settings.kafka,
        specs,
        partitions=settings.partitions,
        replication=settings.replication,
        **settings.client(),
    )


def _follow_the_group(app: faust.App, owner: Owner, outputs: Outputs, rules_log: RulesLog, status: Status) -> None:
    running: list[asyncio.Task[None]] = []

    async def follow_rules() -> None:
        try:
            await rules_log.follow(owner.wake)
        except Exception as error:  # whatever it is, the worker must not go on with rules of yesterday
            log.critical("rules.failed", exc_info=error)
            await app.crash(error)

    @app.on_partitions_assigned.connect
    async def assigned(_app: Any, /, *partitions: Any, **_: Any) -> None:
        owner.assign(*partitions)
        if not running:
            running.append(asyncio.create_task(owner.tick_forever(), name="ticks"))
            running.append(asyncio.create_task(follow_rules(), name="rules"))

    @app.on_partitions_revoked.connect
    async def revoked(*_: Any, **__: Any) -> None:
        await owner.revoke()

    @app.on_before_shutdown.connect
    async def stopping(*_: Any, **__: Any) -> None:
        for task in running:
            task.cancel()
        await owner.close()
        await outputs.close()
        await status.close()


def _agent(app: faust.App, name: str, topic: str, owner: Owner) -> None:
    @app.agent(app.topic(topic, key_type=bytes, value_type=bytes), name=name)
    async def agent(mailboxes: StreamT[Mailbox]) -> None:
        async for mailbox in mailboxes:
            owner.deliver(mailbox)
