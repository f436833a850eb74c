"""
The streams half under faults, on a real broker with a 10 ms round trip and a slow OffsetFetch.

The truth is the orders topic: an oracle that shares no code computes every statistic from it by
brute force, and an undisturbed deployment on the same topic says which alerts there must be.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from connector.local.broker import LocalKafka
from tests.support.delay_proxy import OFFSET_FETCH, DelayProxy
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare
from tests.support.workers import run_schedule

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

RULES = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 40.0, message: large, cooldown: 2s}
  - {id: burst, scope: wallet, severity: info, expr: wallet.w1m.orders >= 12, message: burst, cooldown: 5s}
  - {id: flow, scope: wallet, severity: info, expr: wallet.w5m.net_flow < 0.0, message: selling, cooldown: 0s}
"""

ORDERS = 20_000
RATE = 110.0
SEED = 7


def far_away(proxy: DelayProxy) -> None:
    """Put the broker 10 ms away and let it take 40 ms over each OffsetFetch."""
    proxy.rtt_s = 0.010
    proxy.extra_s = {OFFSET_FETCH: 0.040}


def rules_file(folder: Path) -> Path:
    """Return a file with rules of every kind: on the order, on a count that decays, on a flow that turns."""
    path = folder / "rules.yaml"
    path.write_text(RULES)
    return path


class Feeding:
    """Orders written in the background until stopped."""

    def __init__(self, task: asyncio.Task[None], stop: asyncio.Event) -> None:
        self._task = task
        self._stop = stop

    async def stop(self) -> None:
        """Stop; fails when the orders had run out before, because the faults must happen while they come."""
        assert not self._task.done()
        self._stop.set()
        await self._task


@asynccontextmanager
async def feeding(run: StreamsRun) -> AsyncIterator[Feeding]:
    """Write recorded and generated orders while the block runs."""
    stop = asyncio.Event()
    rows = mixed_rows(ORDERS, seed=SEED)
    task = asyncio.create_task(feed(run.direct, run.topics.orders, rows, rate=RATE, seed=SEED, stop=stop))
    try:
        yield Feeding(task, stop)
    finally:
        task.cancel()


async def same_alerts(run: StreamsRun, rules: Path) -> None:
    """Assert that an undisturbed deployment on the same orders makes the same alerts."""
    calm = StreamsRun(run.direct, prefix=f"{run.prefix}calm.", rules=rules, orders=run.topics.orders)
    async with calm.worker("calm"):
        await calm.settled()
    expected = await calm.alert_ids()
    assert expected
    assert await run.alert_ids() == expected


async def test_statistics_are_exact_and_alerts_the_same_through_kills_and_rescales(
    kafka: LocalKafka, slow_kafka: DelayProxy, topic_prefix: str, tmp_path: Path
) -> None:
    """Three SIGTERM, three SIGKILL and a rescale 1-2-1 lose nothing, double nothing and change no alert."""
    far_away(slow_kafka)
    rules = rules_file(tmp_path)
    module = "tests.support.forgetful_worker"
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules, via=slow_kafka.bootstrap, module=module)
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    workers = [run.worker("one"), run.worker("two", members=2)]
    async with workers[0], feeding(run) as orders:
        await run_schedule(workers, lambda: asyncio.sleep(1.5))
        await orders.stop()
        await run.settled()
        assert await run.wrong_statistics() == []
    await same_alerts(run, rules)


@pytest.mark.slow
async def test_a_worker_that_slept_through_a_takeover_changes_nothing(
    kafka: LocalKafka, slow_kafka: DelayProxy, topic_prefix: str, tmp_path: Path
) -> None:
    """
    A frozen worker wakes up after another one took its partitions: the fence makes it harmless.

        one   ------STOP.................CONT----------
        two   -----------------takes all-------shares--
    """
    far_away(slow_kafka)
    rules = rules_file(tmp_path)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules, via=slow_kafka.bootstrap)
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    one, two = run.worker("one"), run.worker("two", members=1)
    async with one, feeding(run) as orders:
        await asyncio.sleep(3)
        os.kill(one.pid, signal.SIGSTOP)
        try:
            await two.start()
            await asyncio.sleep(3)
        finally:
            os.kill(one.pid, signal.SIGCONT)
        await asyncio.sleep(3)
        await orders.stop()
        await run.settled()
        assert await run.wrong_statistics() == []
        await two.term()
    await same_alerts(run, rules)


@pytest.mark.slow
async def test_a_broker_that_dies_and_comes_back_costs_time_and_nothing_else(tmp_path: Path) -> None:
    """SIGKILL of the only broker and a restart on the same data: the worker goes on by itself, exactly."""
    rules = rules_file(tmp_path)
    async with LocalKafka() as kafka:
        run = StreamsRun(kafka.bootstrap, prefix="", rules=rules)
        await prepare(kafka.bootstrap, "", PARTITIONS)
        async with run.worker("one") as worker:
            async with feeding(run) as orders:
                await asyncio.sleep(3)
                await kafka.kill()
                await asyncio.sleep(3)
                await kafka.start()
                await asyncio.sleep(5)
                await orders.stop()
            await run.settled()
            assert await run.wrong_statistics() == []
            worker.check()
        await same_alerts(run, rules)


async def test_records_that_the_client_skipped_are_read_again(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """A jump in offsets is answered by a seek back, so a client that loses fetched records loses no order."""
    rules = rules_file(tmp_path)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules, module="tests.support.skipping_worker")
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    async with run.worker("skipping") as worker:
        await feed(kafka.bootstrap, run.topics.orders, mixed_rows(1_500, seed=SEED), rate=300.0, seed=SEED)
        await run.settled()
        assert "shard.rewound" in worker.log.read_text()
    assert await run.wrong_statistics() == []
    await same_alerts(run, rules)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "exact"), [("streams", True), ("tests.support.naive_worker", False)], ids=["ours", "naive"]
)
async def test_commits_ahead_of_the_state_fool_only_a_worker_without_admission(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path, module: str, *, exact: bool
) -> None:
    """
    Somebody moves the group's offsets to the end while the worker is down.

        orders      1 ........ 500 ........ 800
        state       1 ........ 500
        commit                          ->  800

    Our worker goes on at 501. One that believes the commits misses 300 orders, which shows that
    these tests can fail.
    """
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules_file(tmp_path), module=module)
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    rows = mixed_rows(810, seed=SEED)
    worker = run.worker("one")
    async with worker:
        await feed(kafka.bootstrap, run.topics.orders, rows[:500], rate=1_000.0, seed=SEED)
        await run.settled()
        await worker.term()
        await feed(kafka.bootstrap, run.topics.orders, rows[500:800], rate=1_000.0, seed=SEED)
        await move_commits_to_the_end(kafka.bootstrap, run)
        await worker.start()
        # Every wallet speaks once more, so that even the naive worker publishes something at the end.
        await feed(kafka.bootstrap, run.topics.orders, rows[800:], rate=1_000.0, seed=SEED)
        await asyncio.sleep(5)
        assert (await run.wrong_statistics() == []) is exact


async def move_commits_to_the_end(bootstrap: str, run: StreamsRun) -> None:
    """Commit the end of the orders topic for the group, as a careless operator would."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=run.group, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(run.topics.orders, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.commit(dict(await consumer.end_offsets(partitions)))
    finally:
        await consumer.stop()
