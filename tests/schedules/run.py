"""One run: a schedule on real workers and a real broker, then the topics against the oracle and a replay."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from connector.kafka.reader import read_all
from streams.records import Alert, decode
from streams.replay import Replay
from streams.rules.engine import Engine, compile_rules
from streams.rules_store import RulesStore
from streams.settings import Settings
from tests.schedules.changes import FILE, change
from tests.schedules.schedule import WORKERS, Act, schedule
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from connector.local.broker import LocalKafka
    from tests.support.workers import WorkerProcess

ORDERS = 20_000
RATE = 120.0
BROKER_AWAY_S = 1.5
_EXAMPLES = 5


class Result(NamedTuple):
    """What a run came to."""

    acts: list[str]
    orders: int
    alerts: int
    changes: int
    """Of rules."""
    faults: list[str]
    """A line for each statistic or alert that is wrong."""


class Run:
    """One deployment under a schedule."""

    def __init__(self, kafka: LocalKafka, folder: Path, seed: int) -> None:
        rules = folder / "rules.yaml"
        rules.write_text(FILE)
        self.seed = seed
        self.prefix = f"s{seed}."
        self.streams = StreamsRun(kafka.bootstrap, prefix=self.prefix, rules=rules)
        self.workers: Sequence[WorkerProcess] = [
            self.streams.worker(f"seed-{seed}-{number}", members=None) for number in range(WORKERS)
        ]
        self.changes = 0
        self._kafka = kafka
        self._file = compile_rules(FILE)
        self._store = RulesStore(
            Settings.model_validate({"kafka": kafka.bootstrap, "topic_prefix": self.prefix, "partitions": PARTITIONS})
        )

    async def go(self) -> Result:
        """Do the schedule while orders come, let everything settle, and compare."""
        await prepare(self._kafka.bootstrap, self.prefix, PARTITIONS)
        acts, stop = schedule(self.seed), asyncio.Event()
        try:
            await self.workers[0].start(wait=False)
            feeding = asyncio.create_task(self._feed(stop))
            for act in acts:
                await asyncio.sleep(act.after_s)
                await self._do(act)
            stop.set()
            await feeding
            if not any(worker.running for worker in self.workers):
                await self.workers[0].start(wait=False)
            await self.streams.settled()
            return await self._compared([_named(act) for act in acts])
        finally:
            for worker in self.workers:
                if worker.running:
                    await worker.kill()

    async def _feed(self, stop: asyncio.Event) -> None:
        rows = mixed_rows(ORDERS, seed=self.seed)
        await feed(self._kafka.bootstrap, self.streams.topics.orders, rows, rate=RATE, seed=self.seed, stop=stop)

    async def _do(self, act: Act) -> None:
        worker = self.workers[act.worker]
        match act.kind:
            case "start":
                await worker.start(wait=False)
            case "term":
                await worker.term()
            case "kill":
                await worker.kill()
            case "broker_kill":
                await self._kafka.kill()
                await asyncio.sleep(BROKER_AWAY_S)
                await self._kafka.start()
            case "rules":
                if records := change(await self._store.read(self._file), Random(act.seed)):
                    await self._store.write(records)
                    self.changes += 1

    async def _compared(self, acts: list[str]) -> Result:
        faults = await self.streams.wrong_statistics()
        orders = await read_all(self._kafka.bootstrap, self.streams.topics.orders)
        by_market = await read_all(self._kafka.bootstrap, self.streams.topics.orders_by_market)
        end = min(_ends(orders) + _ends(by_market))
        told = await self._told(end)
        expected: dict[str, Alert] = {}

        def take(alert: Alert) -> None:
            if alert.as_of <= end:
                expected[alert.alert_id] = alert

        registry = await self._store.read(self._file)
        replay = Replay(Engine(registry.editions, topic=self.streams.topics.orders), self.streams.topics, take)
        replay.run([*orders, *by_market])
        replay.finish(end)
        faults += _differences(expected, told)
        return Result(acts, len(orders), len(told), self.changes, faults)

    async def _told(self, end: int) -> dict[str, Alert]:
        topics = self.streams.topics
        records = [await read_all(self._kafka.bootstrap, topic) for topic in (topics.alerts, topics.alerts_shadow)]
        alerts = [decode(Alert, record.value) for each in records for record in each]
        return {alert.alert_id: alert for alert in alerts if alert.as_of <= end}


def _ends(records: Sequence[object]) -> list[int]:
    ends: dict[int, int] = {}
    for record in records:
        partition, stamp = record.partition, record.timestamp  # type: ignore[attr-defined] # of aiokafka
        ends[partition] = max(ends.get(partition, 0), stamp)
    return list(ends.values())


def _differences(expected: dict[str, Alert], told: dict[str, Alert]) -> list[str]:
    lines = [f"missing alert: {expected[each]}" for each in expected.keys() - told.keys()]
    lines += [f"alert too many: {told[each]}" for each in told.keys() - expected.keys()]
    both = expected.keys() & told.keys()
    lines += [
        f"alert differs: {told[each]} instead of {expected[each]}" for each in both if told[each] != expected[each]
    ]
    return lines[:_EXAMPLES] + ([f"... and {len(lines) - _EXAMPLES} more"] if len(lines) > _EXAMPLES else [])


def _named(act: Act) -> str:
    return act.kind if act.kind in ("rules", "broker_kill") else f"{act.kind} {act.worker}"
