"""Grades on a real broker, with short horizons: right prices from the right orders, whatever happens to the worker."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from connector.kafka.reader import read_all
from tests.support.feed import PARTITIONS, feed, logged, mixed_rows
from tests.support.grading import expected
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

    from connector.local.broker import LocalKafka
    from tests.support.grading import Value

pytestmark = pytest.mark.slow

RULES = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 40.0, message: large, cooldown: 0s}
  - {id: trial, scope: wallet, mode: SHADOW, severity: info, expr: order.side == "SELL", message: sale, cooldown: 1s}
  - {id: patient, scope: wallet, severity: info, expr: wallet.w1m.orders >= 2, for: 2s, message: two, cooldown: 0s}
  - {id: crowd, scope: market, severity: info, expr: market.w5m.orders >= 20, message: many, cooldown: 0s,
     escalate: market.w5m.orders / 100}
"""
HORIZONS = {"2s": 2_000, "6s": 6_000}
RATE = 40.0
FED_S = 10
END_S = 8
"""When the first market ends, seconds after the first order."""


def rows_of_three_markets(now_s: int) -> list[dict[str, Any]]:
    """Return orders of a market that ends soon, of one that ended, and of one of which nobody knows."""
    slugs = (f"btc-updown-1m-{now_s + END_S - 60}", f"btc-updown-1m-{now_s - 600}", "who-wins")
    return [
        row
        | {
            "condition_id": f"0x{number % 3:064x}",
            "token_id": f"{number % 3}{number % 2}",
            "market_slug": slugs[number % 3],
        }
        for number, row in enumerate(mixed_rows(int(RATE * FED_S) + 3, seed=11))
    ]


def clocks_of(records: Iterable[ConsumerRecord]) -> dict[str, int]:
    """Return the clock of its partition at the first appearance of each order, by event id."""
    now: defaultdict[int, int] = defaultdict(int)
    clocks: dict[str, int] = {}
    for entry in logged(records):
        now[entry.partition] = max(now[entry.partition], entry.append_ms)
        clocks.setdefault(entry.order.event_id, now[entry.partition])
    return clocks


async def owed(run: StreamsRun) -> dict[tuple[str, str], Value]:
    """Return the grades that there must be, computed by brute force from what the topics hold."""
    alerts = await run.values(run.topics.alerts) + await run.values(run.topics.alerts_shadow)
    clocks = clocks_of(await read_all(run.direct, run.topics.orders))
    by_partition: defaultdict[int, list[ConsumerRecord]] = defaultdict(list)
    for record in await read_all(run.direct, run.topics.orders_by_market):
        by_partition[record.partition].append(record)
    grades: dict[tuple[str, str], Value] = {}
    for records in by_partition.values():
        grades |= expected(records, alerts, clocks, HORIZONS)
    return grades


async def told(run: StreamsRun) -> dict[tuple[str, str], Value]:
    """Return the grades by alert and horizon; fails when one was told again differently."""
    found: dict[tuple[str, str], Value] = {}
    for grade in await run.values(run.topics.alert_grades):
        assert found.setdefault((grade["alert_id"], grade["horizon"]), grade) == grade
    return found


def tallies_of(grades: Iterable[Value]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return, by rule and horizon, how many are graded, how many not, and the sum of returns in millionths."""
    tallies: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for grade in grades:
        tally = tallies[grade["rule"], grade["horizon"]]
        tally[grade["state"] == "ungraded"] += 1
        tally[2] += round((grade["return"] or 0.0) * 1_000_000)
    return {key: (graded, ungraded, total) for key, (graded, ungraded, total) in tallies.items()}


async def scored_on_the_topic(run: StreamsRun) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return the same as the newest records of `rule-scores.v1` add up to."""
    newest = {record.key: json.loads(record.value) for record in await read_all(run.direct, run.topics.rule_scores)}
    tallies: dict[tuple[str, str], tuple[int, int, int]] = {}
    for value in newest.values():
        key, ungraded = (value["rule"], value["horizon"]), sum(value["ungraded"].values())
        before = tallies.get(key, (0, 0, 0))
        tallies[key] = (before[0] + value["graded"], before[1] + ungraded, before[2] + value["total"])
    return tallies


async def told_all(run: StreamsRun) -> bool:
    """Return whether there is a grade wherever there must be one."""
    return (await told(run)).keys() >= (await owed(run)).keys()


async def scored_all(run: StreamsRun, grades: Iterable[Value]) -> bool:
    """Return whether the running totals are those of these grades."""
    return await scored_on_the_topic(run) == tallies_of(grades)


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what topics are to say."""
    async with asyncio.timeout(90):
        while not await done():  # noqa: ASYNC110  # a topic has no event
            await asyncio.sleep(0.5)


async def scores(run: StreamsRun) -> list[Value]:
    """Return what `rules score --json` says."""
    env = os.environ | {"KAFKA": run.direct, "TOPIC_PREFIX": run.prefix}
    argv = (sys.executable, "-m", "streams", "rules", "score", "--json")
    process = await asyncio.create_subprocess_exec(*argv, env=env, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    scored: list[Value] = json.loads(output)
    return scored


async def test_grades_are_exact_although_the_worker_is_killed(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """
    Orders of three markets for 10 s; the worker is killed after 3 s and started again; then time alone goes on.

    Every alert that an order tipped has a grade at each horizon, and the market's end, with the price and the order
    that brute force finds; what is told twice is equal. The scorecards count them all, and
    the running totals, which outlive the kill, add up to the same.
    """
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules, settings={"GRADE_AFTER": ",".join(HORIZONS)})
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    async with run.worker("graded") as worker:
        rows = rows_of_three_markets(time.time_ns() // 1_000_000_000)
        feeding = asyncio.create_task(feed(run.direct, run.topics.orders, rows[3:], rate=RATE, seed=11))
        await asyncio.sleep(3)
        await worker.kill()
        await worker.start()
        await feeding
        await until(lambda: told_all(run))
        found, wanted = await told(run), await owed(run)
        # One more order of each market, so that the log's clock passes what time alone has brought.
        await feed(run.direct, run.topics.orders, [row | {"side": "BUY"} for row in rows[:3]], rate=RATE, seed=12)
        await until(lambda: scored_all(run, found.values()))
        await worker.term()
    assert {key: {name: grade[name] for name in wanted[key]} for key, grade in found.items()} == wanted
    kinds = {(grade["rule"], grade["mode"], grade["state"]) for grade in found.values()}
    assert kinds >= {("large", "ACTIVE", "graded"), ("trial", "SHADOW", "graded"), ("crowd", "ACTIVE", "graded")}
    assert {grade["horizon"] for grade in found.values()} == {*HORIZONS, "end"}
    assert "patient" in {alert["rule"] for alert in await run.values(run.topics.alerts)}
    counted = sum(score["graded"] + sum(score["ungraded"].values()) for score in await scores(run))
    assert counted == len(found)
