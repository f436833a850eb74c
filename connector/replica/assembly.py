"""Puts a replica together from its settings. Shell."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from connector.contract.topics import WATCHLIST
from connector.coverage import Coverage, Policy
from connector.deadletters import DeadLimit
from connector.dedupe import Memory, NoDedupe
from connector.intake import Intake
from connector.kafka.partitioner import partitioner
from connector.provider_clock import ProviderClock
from connector.publisher import Publisher
from connector.race import Race
from connector.replica.auditor import Auditor
from connector.replica.lease import Lease
from connector.replica.ledger import Ledger
from connector.replica.membership import Membership
from connector.replica.permits import Permits
from connector.replica.repairer import Repairer
from connector.replica.replica import Replica
from connector.replica.restorer import Restorer
from connector.replica.router import Router
from connector.replica.topics import Topics
from connector.replica.watchlist import Watchlist
from connector.rest import RestClient
from connector.session import Limits
from connector.sockets import SideConfig, Sockets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiokafka import AIOKafkaProducer

    from connector.metrics import Metrics
    from connector.settings import Settings


@dataclass(frozen=True)
class Parts:
    """What runs: everything else belongs to one of these."""

    replica: Replica
    coverage: Coverage
    sockets: Sockets
    publisher: Publisher
    membership: Membership
    repairer: Repairer
    router: Router
    ledger: Ledger
    auditor: Auditor
    intake: Intake
    race: Race | None


@asynccontextmanager
async def assembled(
    settings: Settings, producer: AIOKafkaProducer, security: Mapping[str, Any], metrics: Metrics
) -> AsyncIterator[Parts]:
    """Yield the parts of a replica, wired, with nothing running yet; `security` is what Kafka's clients need."""
    loop_time = asyncio.get_running_loop().time
    partition = partitioner(settings.partitions)
    policy = _policy(settings)
    coverage = Coverage(policy, owner=settings.replica_name)
    lease = Lease(settings.session_timeout, settings.rebalance_timeout)
    replica = Replica(
        coverage=coverage,
        lease=lease,
        clock=ProviderClock(loop_time(), time.time_ns() // 1_000_000),
        static=settings.wallets,
        partition=partition,
        handover_timeout=settings.rebalance_timeout / 3,
        metrics=metrics,
    )
    publisher = Publisher(
        producer,
        topic_prefix=settings.topic_prefix,
        limit=settings.queue_size,
        ownership=Permits(replica.shards, lease, replica.foreign),
        metrics=metrics,
    )
    ledger = Ledger(
        publisher,
        checkpoint=replica.checkpoint,
        may_write=replica.may_write,
        interval=settings.checkpoint_interval,
        metrics=metrics,
    )
    intake = Intake(secrets=settings.secrets)
    race = Race() if settings.mirror_keys else None
    router = Router(
        replica.shards,
        partition=partition,
        lease=lease,
        coverage=coverage,
        intake=intake,
        publisher=publisher,
        dead_limit=DeadLimit(settings.dead_limit),
        now_ms=replica.now_ms,
        doubt=replica.doubt,
        race=race,
        metrics=metrics,
    )
    topics = Topics(settings.kafka, settings.topic_prefix, security)
    watchlist = Watchlist(coverage, ledger, replica.now_ms, replica.doubt)
    restorer = Restorer(
        topics,
        owner=settings.replica_name,
        coverage=coverage,
        ledger=ledger,
        watchlist=watchlist,
        memory=lambda floor_ms: _memory(settings, floor_ms),
        now_ms=replica.now_ms,
        listed=replica.rewatch,
        restored=replica.restored,
        disowned=replica.disowned,
        metrics=metrics,
    )
    membership = Membership(
        replica,
        lease,
        bootstrap=settings.kafka,
        topic=settings.topic_prefix + WATCHLIST.name,
        group=settings.topic_prefix + settings.connector_group,
        name=settings.replica_name,
        session_timeout=settings.session_timeout,
        rebalance_timeout=settings.rebalance_timeout,
        instance=settings.group_instance_id or None,
        security=security,
    )
    async with RestClient(
        settings.dialect,
        settings.keys,
        limits=settings.dialect.rest_limits(settings.tier),
        share=settings.rest_share,
        base_url=settings.rest_url,
        timeout=settings.rest_timeout,
        on_date=replica.provider_date,
        metrics=metrics,
    ) as rest:
        repairer = Repairer(
            router,
            coverage=coverage,
            ledger=ledger,
            rest=rest,
            intake=intake,
            publisher=publisher,
            topics=topics,
            provider=settings.provider,
            concurrency=settings.rest_concurrency,
            now_ms=replica.now_ms,
            metrics=metrics,
        )
        auditor = Auditor(
            router,
            wallets=replica.watched,
            checkpoint=replica.checkpoint,
            doubt=replica.doubt,
            topics=topics,
            rest=rest,
            publisher=publisher,
            policy=policy,
            interval=settings.audit_interval,
            now_ms=replica.now_ms,
            metrics=metrics,
        )
        sockets = Sockets(_sides(settings), router, replica, metrics=metrics)
        replica.sockets, replica.router, replica.repairer = sockets, router, repairer
        replica.restorer, replica.ledger, replica.watchlist = restorer, ledger, watchlist
        replica.publisher, replica.position_known = publisher, membership.position_known
        yield Parts(replica, coverage, sockets, publisher, membership, repairer, router, ledger, auditor, intake, race)


def _policy(settings: Settings) -> Policy:
    return Policy(
        overlap_ms=int(settings.overlap * 1000),
        settle_ms=int(settings.settle * 1000),
        poll_ms=int(settings.poll_interval * 1000),
        verify_ms=int(settings.verify_interval * 1000),
        give_up_ms=int(settings.give_up * 1000),
    )


def _memory(settings: Settings, floor_ms: int) -> Memory:
    kind = Memory if settings.dedupe == "on" else NoDedupe
    return kind(max(settings.dedupe_size // settings.partitions, 1), floor_ms)


def _sides(settings: Settings) -> list[SideConfig]:
    limits = Limits(
        ack_timeout=settings.ack_timeout,
        ping_interval=settings.ping_interval,
        idle_timeout=settings.idle_timeout,
        retry_refused=settings.retry_refused,
        max_frame_bytes=settings.max_frame_bytes,
    )
    side = partial(
        SideConfig,
        limits=limits,
        connect_timeout=settings.connect_timeout,
        backoff_base=settings.backoff_base,
        backoff_cap=settings.backoff_cap,
        healthy_spell=settings.healthy_spell,
    )
    sides = [
        side(
            name="primary",
            provider=settings.provider,
            dialect=settings.dialect,
            url=settings.ws_url,
            keys=settings.keys,
            quota=settings.quota,
        )
    ]
    if settings.mirror_keys:
        sides.append(
            side(
                name="mirror",
                provider=settings.mirror_provider,
                dialect=settings.mirror_dialect,
                url=settings.mirror_ws_url,
                keys=settings.mirror_keys,
                quota=settings.mirror_dialect.quotas[settings.mirror_tier],
                patience=float("inf"),  # the primary goes on alone
            )
        )
    return sides
