"""
The streams half under faults, on a real broker with a 10 ms round trip and a slow OffsetFetch.

The truth is the orders topic: an oracle that shares no code computes every statistic from it by
brute force, and an undisturbed deployment on the same topic says which alerts there must be.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.delay_proxy import OFFSET_FETCH, DelayProxy
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare
from tests.support.workers import run_schedule

if TYPE_CHECKING:
    from pathlib import Path

    from connector.local.broker import LocalKafka

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


async def test_statistics_are_exact_and_alerts_the_same_through_kills_and_rescales(
    kafka: LocalKafka, slow_kafka: DelayProxy, topic_prefix: str, tmp_path: Path
) -> None:
    """Three SIGTERM, three SIGKILL and a rescale 1-2-1 lose nothing, double nothing and change no alert."""
    far_away(slow_kafka)
    rules = rules_file(tmp_path)
    disturbed = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules, via=slow_kafka.bootstrap)
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    workers = [disturbed.worker("one"), disturbed.worker("two", members=2)]
    await workers[0].start()
    stop = asyncio.Event()
    rows = mixed_rows(ORDERS, seed=SEED)
    feeding = asyncio.create_task(feed(kafka.bootstrap, disturbed.topics.orders, rows, rate=RATE, seed=SEED, stop=stop))
    try:
        await run_schedule(workers, lambda: asyncio.sleep(1.5))
        assert not feeding.done(), "the faults must happen while orders come"
        stop.set()
        await feeding
        await disturbed.settled()
        assert await disturbed.wrong_statistics() == []
    finally:
        feeding.cancel()
        for worker in workers:
            await worker.kill() if worker.running else None

    calm = StreamsRun(kafka.bootstrap, prefix=f"{topic_prefix}calm.", rules=rules, orders=disturbed.topics.orders)
    async with calm.worker("calm"):
        await calm.settled()
    expected = await calm.alert_ids()
    assert expected
    assert await disturbed.alert_ids() == expected
