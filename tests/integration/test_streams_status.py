"""What an operator sees of a worker: `/readyz`, `/livez`, `/metrics`, on a real broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from connector.kafka.reader import read_all
from connector.local.broker import LocalKafka
from streams.settings import SHIPPED_RULES
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.status import StatusClient
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from tests.support.delay_proxy import DelayProxy

ORDERS = 600
JOIN_GROUP = 11
"""Kafka's api key."""
PREFIX = "walletstream_streams_"
LIMIT_S = 5
"""Least WEDGED_AFTER."""


async def test_a_worker_is_ready_when_it_works_and_counts_what_it_does(
    kafka: LocalKafka, slow_kafka: DelayProxy, topic_prefix: str
) -> None:
    """Not before the group has assigned and every shard is restored; then its numbers are those of the topics."""
    slow_kafka.extra_s = {JOIN_GROUP: 1.0}
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    async with StatusClient() as status:
        run = StreamsRun(
            kafka.bootstrap,
            prefix=topic_prefix,
            rules=SHIPPED_RULES,
            via=slow_kafka.bootstrap,
            settings={"STATUS_ADDRESS": status.address},
        )
        async with run.worker("one", members=None):
            answers = await status.until("/readyz", 200)
            assert (503, "waiting for the group to assign partitions") in answers
            assert await status.ask("/livez") == (200, "ok")
            await feed(kafka.bootstrap, run.topics.orders, mixed_rows(ORDERS, seed=3), rate=1_000.0, seed=3)
            await run.settled()
            await _numbers_are_those_of_the_topics(run, status)


async def _numbers_are_those_of_the_topics(run: StreamsRun, status: StatusClient) -> None:
    """Time goes on bringing statistics and alerts, so the topic lies between what is counted before and after."""

    async def count(topic: str) -> int:
        return len(await read_all(run.direct, topic))

    before = await status.metrics()
    topics = run.topics
    orders, forwarded, alerts = [await count(each) for each in (topics.orders, topics.orders_by_market, topics.alerts)]
    statistics = await count(topics.wallet_stats) + await count(topics.market_stats)
    wallets = {value["user"] for value in await run.values(topics.orders)}
    after = await status.metrics()
    assert after.values(f"{PREFIX}orders_total", topic="orders") == [orders]
    assert after.values(f"{PREFIX}orders_total", topic="orders-by-market") == [forwarded]
    assert after.values(f"{PREFIX}duplicates_total", topic="orders") == [orders - forwarded] != [0]
    assert before.total(f"{PREFIX}alerts_total") <= alerts <= after.total(f"{PREFIX}alerts_total")
    assert before.total(f"{PREFIX}alerts_total") > 0
    assert before.total(f"{PREFIX}statistics_total") <= statistics <= after.total(f"{PREFIX}statistics_total")
    assert before.total(f"{PREFIX}statistics_total") > 0
    assert after.values(f"{PREFIX}lag_records") == [0] * 2 * PARTITIONS
    assert after.values(f"{PREFIX}subjects", topic="orders") == [len(wallets)]
    assert all(after.values(f"{PREFIX}state_bytes", topic=topic)[0] > 0 for topic in ("orders", "orders-by-market"))
    assert after.total(f"{PREFIX}shards", state="working") == 2 * PARTITIONS
    assert after.total(f"{PREFIX}wire_to_alert_seconds_count") > 0
    assert after.total(f"{PREFIX}rule_evaluations_total") > 0
    assert after.total(f"{PREFIX}rebalances_total") == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_broker_that_is_away_is_no_reason_for_a_restart() -> None:
    """
    However long: the worker says why it is not ready, and works again when the broker is back.

        broker   ------- killed .................. back -------
        readyz   200     503 Kafka does not answer      200
        livez    200     200, beyond the limit          200
    """
    async with LocalKafka() as kafka, StatusClient() as status:
        await prepare(kafka.bootstrap, "", PARTITIONS)
        settings = {"STATUS_ADDRESS": status.address, "WEDGED_AFTER": str(LIMIT_S)}
        run = StreamsRun(kafka.bootstrap, prefix="", rules=SHIPPED_RULES, settings=settings)
        async with run.worker("orphan", members=None):
            await status.until("/readyz", 200)
            await feed(kafka.bootstrap, run.topics.orders, mixed_rows(200, seed=3), rate=1_000.0, seed=3)
            await kafka.kill()
            await status.until("/readyz", 503, "Kafka does not answer")
            for _ in range(LIMIT_S + 3):
                assert await status.ask("/livez") == (200, "ok")
                await asyncio.sleep(1)
            await kafka.start()
            await status.until("/readyz", 200)
            await run.settled()
            assert await status.ask("/livez") == (200, "ok")


async def test_a_shard_that_is_wedged_is_told(kafka: LocalKafka, topic_prefix: str) -> None:
    """It has orders, Kafka answers, and it does nothing: only a restart helps."""
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    async with StatusClient() as status:
        run = StreamsRun(
            kafka.bootstrap,
            prefix=topic_prefix,
            rules=SHIPPED_RULES,
            module="tests.support.wedged_worker",
            settings={"STATUS_ADDRESS": status.address, "WEDGED_AFTER": str(LIMIT_S)},
        )
        async with run.worker("wedged", members=None):
            await status.until("/readyz", 200)
            assert await status.ask("/livez") == (200, "ok")
            await feed(kafka.bootstrap, run.topics.orders, mixed_rows(300, seed=3), rate=1_000.0, seed=3)
            (*_, (_, said)) = await status.until(
                "/livez", 503, f"{run.topics.orders} 0 has unread orders and folds none"
            )
            assert f"{run.topics.orders} 1" not in said
