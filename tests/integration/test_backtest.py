"""A worker and a backtest of its topics, on a real broker: the same alerts, in every word."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from connector.contract.topics import ORDERS
from connector.kafka.admin import ensure_topics
from connector.kafka.partitioner import partitioner
from connector.kafka.reader import read_all
from streams.records import Alert, decode
from streams.replay import Replay
from streams.rules.engine import load_rules
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from connector.local.broker import LocalKafka

pytestmark = pytest.mark.slow

RULES = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 20.0, message: large, cooldown: 2s,
     max_age: 20s, keep_firing_for: 1s}
  - {id: burst, scope: wallet, severity: info, expr: wallet.w1m.orders >= 5, message: burst, for: 1s, cooldown: 3s}
  - {id: turn, scope: wallet, severity: info, expr: wallet.w5m.net_flow < 0.0, message: selling, cooldown: 0s}
  - {id: each-market, scope: wallet, severity: info, expr: order.side == "SELL", group_by: [market.id], message: sells,
     cooldown: 1s, keep_firing_for: 2s, mode: SHADOW}
  - {id: agree, scope: market, severity: info, expr: market.w1m.wallets >= 3, escalate: market.w1m.wallets, message: m}
  - {id: flow, scope: market, severity: info, expr: market.w1m.volume >= 30.0, for: 500ms, cooldown: 2s, message: m}
  - {id: hot, scope: market, severity: info, expr: order.price > 0.5, cooldown: 1s, keep_firing_for: 1s, message: m}
"""

SEED = 11
LATER_S = 4
"""How long time goes on after the last order, so that alerts end by ticks alone."""

TICKS_S = 2.5
"""How far the worker's ticks and what they send may be behind."""


ENDED = {"large", "each-market", "hot"}
"""Rules whose alerts end within the test."""


async def backtest(run: StreamsRun, rules: Path, *options: str) -> dict[str, Any]:
    """Run the command on the topics of a deployment and return its JSON."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", "rules", "backtest", "--orders", "kafka", "--json"),
        *("--rules", str(rules), *options),
        env={**os.environ, "KAFKA": run.direct, "TOPIC_PREFIX": run.prefix, "PARTITIONS": str(PARTITIONS)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    found: dict[str, Any] = msgspec.json.decode(out)
    return found


async def told_live(run: StreamsRun, until_ms: int) -> dict[str, Alert]:
    """Return what the workers told of the time up to then, by id."""
    records = [*await read_all(run.direct, run.topics.alerts), *await read_all(run.direct, run.topics.alerts_shadow)]
    alerts = [decode(Alert, record.value) for record in records]
    return {alert.alert_id: alert for alert in alerts if alert.as_of <= until_ms}


async def test_a_backtest_of_the_topics_is_what_the_worker_did(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """
    Late, early and repeated orders, cooldowns, deadlines that pass without an order, and workers that end either way.

        orders  ------------- ------------- -------------
        worker  ----------TERM  ---------KILL  ------------------ ticks
    """
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules)
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    rows = mixed_rows(600, seed=SEED)
    async with run.worker("one") as worker:
        for part, end in enumerate((worker.term, worker.kill, None)):
            await feed(kafka.bootstrap, run.topics.orders, rows[part::3], rate=150.0, seed=SEED + part)
            if end is not None:
                await end()
                await worker.start(wait=False)
        await run.settled()
        ends = await read_all(kafka.bootstrap, run.topics.orders_by_market)
        last_s = max(record.timestamp for record in ends) / 1_000
        await asyncio.sleep(max(0.0, last_s + LATER_S + TICKS_S - time.time_ns() / 1e9))
        told = tmp_path / "alerts.jsonl"
        found = await backtest(run, rules, "--until", f"+{LATER_S}s", "--alerts", str(told))
        live = await told_live(run, found["until"])
        worker.check()
    replayed = {alert.alert_id: alert for line in told.read_bytes().splitlines() for alert in [decode(Alert, line)]}
    for scope in ("wallet", "market"):
        assert ids_of(replayed, scope) == ids_of(live, scope)
    assert replayed == live
    assert found["duplicates"] > 0
    counted = [row["fired"] + row["escalated"] + row["resolved"] for row in found["rules"]]
    assert found["alerts"] == len(replayed) == sum(counted)
    assert [row["rule"] for row in found["rules"] if not row["fired"]] == []
    assert {row["rule"] for row in found["rules"] if row["resolved"]} >= ENDED


def ids_of(alerts: dict[str, Alert], scope: str) -> set[str]:
    """Return the ids of one scope's alerts."""
    return {alert_id for alert_id, alert in alerts.items() if alert.scope == scope}


async def test_without_a_topic_by_market_it_is_made_up_and_said(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Rules can be tried on a connector's orders before any worker has run; partitions are merged by append time."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules)
    await ensure_topics(kafka.bootstrap, [ORDERS.prefixed(topic_prefix)], partitions=PARTITIONS)
    await feed(kafka.bootstrap, run.topics.orders, mixed_rows(400, seed=SEED), rate=400.0, seed=SEED)
    found = await backtest(run, rules)
    (note,) = found["notes"]
    assert note.startswith(f"there is no {run.topics.orders_by_market} yet: market alerts depend on how the orders")
    orders = await read_all(kafka.bootstrap, run.topics.orders)
    told: list[Alert] = []
    engine = load_rules(RULES, topic=run.topics.orders)
    replay = Replay(engine, run.topics, told.append, market_partition=partitioner(PARTITIONS))
    replay.run(sorted(orders, key=lambda record: (record.timestamp, record.partition, record.offset)))
    replay.finish(found["until"])
    assert {row["rule"]: row["fired"] for row in found["rules"]} == {
        rule.id: sum(alert.rule == rule.id and alert.transition == "firing" for alert in told) for rule in engine.rules
    }
    assert (found["orders"], found["by_market"]) == (len(orders), replay.totals.by_market)
    assert any(alert.scope == "market" for alert in told)
