"""
Rules that change while workers fold orders, on the real broker, by the commands that people use.

The rule under test is true at every order and holds nothing back, so every order says by which version it was judged;
the topics say by which it should have been.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from connector.kafka.reader import read_all
from streams.__main__ import _parser
from streams.shards.shard import Shard
from tests.support.feed import PARTITIONS, feed, logged, mixed_rows
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from connector.local.broker import LocalKafka

pytestmark = pytest.mark.slow

DELAY_MS = 500
"""What RULES_DELAY is by default."""

FILE = """
rules:
  - {id: steady, scope: wallet, severity: info, expr: order.notional >= 0.0, message: m, cooldown: 1h, max_age: 1h}
"""
EVERY = """
rules:
  - {{id: every, scope: wallet, severity: info, expr: order.notional >= 0.0, message: "{message}", cooldown: 0s,
      max_age: 1h}}
  - {{id: each, scope: market, severity: info, expr: order.notional >= 0.0, message: "{message}", cooldown: 0s,
      max_age: 1h}}
"""
BUSY = """
rules:
  - {id: busy, scope: wallet, severity: info, expr: wallet.w24h.orders >= 1, message: m, max_age: 1h}
"""


class Deployment:
    """Workers, orders that go on and on, and the commands."""

    def __init__(self, run: StreamsRun, rules: Path) -> None:
        self.run = run
        self.rules = rules
        self._folder = rules.parent

    async def command(self, *arguments: str) -> int:
        """Run `python -m streams rules ...` and return its exit code; settings come from the environment."""
        given = _parser(Shard).parse_args(["--env-file", str(self._folder / "none"), "rules", *arguments])
        return int(await asyncio.to_thread(given.run, given))

    async def apply(self, document: str, *options: str) -> int:
        """Apply a document."""
        file = self._folder / "applied.yaml"
        file.write_text(document)
        return await self.command("apply", str(file), *options)

    @asynccontextmanager
    async def orders(self, *, seed: int) -> AsyncIterator[None]:
        """Write orders to all partitions while the block runs."""
        stop = asyncio.Event()
        rows = mixed_rows(4_000, seed=seed)
        task = asyncio.create_task(
            feed(self.run.direct, self.run.topics.orders, rows, rate=100.0, seed=seed, stop=stop)
        )
        try:
            yield
            stop.set()
            await task
        finally:
            task.cancel()

    async def alerts(self, rule: str, **values: Any) -> list[dict[str, Any]]:
        """Return the alerts of a rule that have these values, a repetition once."""
        found = {each["alert_id"]: each for each in await self.run.values(self.run.topics.alerts)}
        return [
            each
            for each in found.values()
            if each["rule"] == rule and all(each[name] == value for name, value in values.items())
        ]

    async def until(self, rule: str, **values: Any) -> dict[str, Any]:
        """Wait for an alert."""
        async with asyncio.timeout(90):
            while not (found := await self.alerts(rule, **values)):  # noqa: ASYNC110  # a topic has no event
                await asyncio.sleep(0.1)
        return found[-1]

    async def wrongly_judged(self) -> list[str]:
        """Return a line for each order that wallet or market judged by another version than its time there says."""
        topics = self.run.topics
        return [
            *await self._wrongly_judged("every", topics.orders),
            *await self._wrongly_judged("each", topics.orders_by_market),
        ]

    async def _wrongly_judged(self, rule: str, source: str) -> list[str]:
        versions = await self._versions(rule)
        judged: dict[str, set[str]] = defaultdict(set)
        for alert in await self.alerts(rule):
            judged[alert["orders"][0]["event_id"]].add(alert["message"])
        faults, clocks, seen = [], dict.fromkeys(range(PARTITIONS), 0), set()
        for entry in logged(await read_all(self.run.direct, source)):
            clock = clocks[entry.partition] = max(clocks[entry.partition], entry.append_ms)
            if entry.order.event_id in seen:
                continue
            seen.add(entry.order.event_id)
            message = [message for since, message in versions if since <= clock][-1]
            if judged[entry.order.event_id] != ({message} if message else set()):
                faults.append(f"{rule} {entry.partition} at {clock}: {judged[entry.order.event_id]} for {message}")
        return faults

    async def _versions(self, rule: str) -> list[tuple[int, str | None]]:
        """Return since when a rule has which message; None: it is paused or not there."""
        versions: list[tuple[int, str | None]] = [(0, None)]
        for record in await read_all(self.run.direct, self.run.topics.rules):
            if record.key == rule.encode():
                written = {} if record.value is None else msgspec.json.decode(record.value)["rule"]
                paused = written.get("mode") == "PAUSED"
                versions.append((record.timestamp + DELAY_MS, None if paused else written.get("message")))
        return versions


@pytest.fixture
async def deployment(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Deployment:
    """Return a deployment with one rule in its file."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(FILE)
    for name, value in (
        ("KAFKA", kafka.bootstrap), ("TOPIC_PREFIX", topic_prefix), ("PARTITIONS", str(PARTITIONS)), ("RULES", rules),
    ):  # fmt: skip
        monkeypatch.setenv(name, str(value))
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    return Deployment(StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules), rules)


async def test_two_workers_change_over_at_the_same_time_of_the_log(deployment: Deployment) -> None:
    """
    A rule that is new, then changed, then paused, and each partition follows at the same append time.

        orders   . . . . . . . . . . . . . . .
        every          |first    |second |paused
    """
    run = deployment.run
    async with run.worker("one"), run.worker("two", members=2):
        async with deployment.orders(seed=1):
            assert await deployment.apply(EVERY.format(message="first")) == 0
            await asyncio.sleep(1.5)
            assert await deployment.apply(EVERY.format(message="second")) == 0
            await asyncio.sleep(1.5)
            assert await deployment.command("pause", "every") == 0
            await asyncio.sleep(1)
        await run.settled()
    assert await deployment.wrongly_judged() == []
    for rule in ("every", "each"):
        assert {alert["message"] for alert in await deployment.alerts(rule)} == {"first", "second"}
    applied = (await read_all(run.direct, run.topics.rules))[0].timestamp
    told = [each for each in await read_all(run.direct, run.topics.alerts) if b'"every"' in each.value]
    assert min(each.timestamp for each in told) - applied < 1_000
    steady = await deployment.alerts("steady")
    assert len(steady) == len({each["subject"] for each in steady})


async def test_a_worker_that_hears_late_is_frozen_and_killed_judges_by_the_same_rules(deployment: Deployment) -> None:
    """
    It hears of a change a second after that took effect, and orders wait; so they do after a sleep, and a restart.

        worker   ---STOP.......CONT------------KILL---start----
        every         |first              |second
    """
    run = StreamsRun(
        deployment.run.direct,
        prefix=deployment.run.prefix,
        rules=deployment.rules,
        module="tests.support.late_worker",
    )
    worker = run.worker("one")
    async with worker:
        async with deployment.orders(seed=2):
            os.kill(worker.pid, signal.SIGSTOP)
            try:
                assert await deployment.apply(EVERY.format(message="first")) == 0
                await asyncio.sleep(2)
            finally:
                os.kill(worker.pid, signal.SIGCONT)
            await asyncio.sleep(2)
            assert await deployment.apply(EVERY.format(message="second")) == 0
            await asyncio.sleep(0.8)
            await worker.kill()
            await worker.start()
        await run.settled()
    assert await deployment.wrongly_judged() == []
    for rule in ("every", "each"):
        assert {alert["message"] for alert in await deployment.alerts(rule)} == {"first", "second"}


async def test_bad_rules_are_refused_paused_ones_resolve_and_silences_mark(deployment: Deployment) -> None:
    """What is wrong stops nothing, what is switched off is over, and all of it without a restart or an order."""
    run = deployment.run
    async with run.worker("one") as worker:
        assert await deployment.apply(BUSY) == 0
        await asyncio.sleep(1)
        async with deployment.orders(seed=3):
            await deployment.until("busy", transition="firing")
            await write(run, b"busy", b'{"kind": "rule", "schema": 1, "rule": {"id": "busy"}}')
            await write(run, b"steady@shadow", b"{")
            assert await deployment.command("silence", "rule=bu*", "--for", "1h", "--comment", "quiet") == 0
            marked = await deployment.until("busy", transition="firing", silenced_by=[await silence_of(run)])
            assert marked["as_of"] > (await deployment.alerts("steady"))[0]["as_of"]
        assert worker.log.read_text().count("rule.refused") == 2
        assert "scope is missing" in worker.log.read_text()
        assert await deployment.command("remove", "busy") == 0
        over = await deployment.until("busy", transition="resolved")
        assert "paused or removed" in over["reason"]
        firing = {each["alert_id"] for each in await deployment.alerts("busy", transition="firing")}
        for alert_id in firing:
            await deployment.until("busy", transition="resolved", episode=alert_id)
        worker.check()


async def write(run: StreamsRun, key: bytes, value: bytes) -> None:
    """Write what no command of ours would."""
    async with AIOKafkaProducer(bootstrap_servers=run.direct) as producer:
        await producer.send_and_wait(run.topics.rules, value, key, partition=0)


async def silence_of(run: StreamsRun) -> str:
    """Return the id of the only silence."""
    (key,) = {each.key for each in await read_all(run.direct, run.topics.rules) if each.key.startswith(b"silence:")}
    return str(key.decode().removeprefix("silence:"))
