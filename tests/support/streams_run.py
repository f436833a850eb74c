"""One deployment of streams under test: its workers, and what its topics say against the oracle."""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from connector.kafka.reader import read_all
from streams.effects import Topics
from tests.support import oracle
from tests.support.feed import PARTITIONS, logged
from tests.support.workers import GroupProbe, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

QUIET_S = 1.5
SETTLE_TIMEOUT_S = 90.0


class StreamsRun:
    """Names, workers and final records of one deployment."""

    def __init__(
        self,
        direct: str,
        *,
        prefix: str,
        rules: Path,
        via: str | None = None,
        orders: str = "",
        module: str = "streams",
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """
        Make up names; nothing is started.

        `direct` is the broker, `via` the address the workers use, with more `settings`; `orders` is another
        deployment's orders topic.
        """
        self.direct = direct
        self.prefix = prefix
        self.topics = Topics(prefix, orders)
        self.group = prefix + "walletstream"
        self._argv = [sys.executable, "-m", module, "worker"]
        self._env = {
            "KAFKA": via or direct,
            "TOPIC_PREFIX": prefix,
            "PARTITIONS": str(PARTITIONS),
            "RULES": str(rules),
            "SESSION_TIMEOUT": "6",
            "ORDERS_TOPIC": orders,
            "HISTORY": "alert",
            **(settings or {}),
        }

    def worker(self, name: str, *, members: int | None = 1, settings: Mapping[str, str] | None = None) -> WorkerProcess:
        """
        Return a worker that counts as ready when the group is stable with so many members; None: at once.

        It may have `settings` of its own.
        """
        ready = None if members is None else GroupProbe(self.direct, self.group, members=members)
        return WorkerProcess(self._argv, {**self._env, **(settings or {})}, ready=ready, name=name)

    async def settled(self) -> None:
        """Wait until both statistics topics have caught up with their sources and stay so."""
        async with asyncio.timeout(SETTLE_TIMEOUT_S):
            while not await self._caught_up():  # noqa: ASYNC110  # a topic has no event
                await asyncio.sleep(QUIET_S)

    async def _caught_up(self) -> bool:
        for source, statistics in (
            (self.topics.orders, self.topics.wallet_stats),
            (self.topics.orders_by_market, self.topics.market_stats),
        ):
            ends: dict[int, int] = defaultdict(int)
            for record in await read_all(self.direct, source):
                ends[record.partition] = record.offset
            reached: dict[int, int] = defaultdict(int)
            for value in await self.values(statistics):
                reached[value["partition"]] = max(reached[value["partition"]], value["as_of_offset"])
            if any(reached[partition] < end for partition, end in ends.items()):
                return False
        return True

    async def values(self, topic: str) -> list[dict[str, Any]]:
        """Return the decoded values of a topic."""
        return [msgspec.json.decode(record.value) for record in await read_all(self.direct, topic)]

    async def alert_ids(self) -> set[str]:
        """
        Return the ids of all alerts up to the end of the log; a repetition has the same id.

        What time brings after the last order depends on when somebody looks.
        """
        ends: dict[int, int] = {}
        for record in await read_all(self.direct, self.topics.orders):
            ends[record.partition] = max(ends.get(record.partition, 0), record.timestamp)
        end = min(ends.values(), default=0)
        return {alert["alert_id"] for alert in await self.values(self.topics.alerts) if alert["as_of"] <= end}

    async def wrong_statistics(self) -> list[str]:
        """Return a line for each wallet or market whose final statistics differ from the oracle's."""
        orders = await read_all(self.direct, self.topics.orders)
        forwarded = await read_all(self.direct, self.topics.orders_by_market)
        wallets = final(await self.values(self.topics.wallet_stats), "wallet")
        markets = final(await self.values(self.topics.market_stats), "condition_id")
        faults = missing("wallet", {entry.order.user for entry in logged(orders)}, set(wallets))
        faults += missing("market", {entry.order.condition_id for entry in logged(orders)} - {None}, set(markets))
        faults += _wrong(wallets, orders, oracle.wallet_stats)
        faults += _wrong(markets, forwarded, oracle.market_stats)
        return faults


def missing(kind: str, expected: set[Any], found: set[str]) -> list[str]:
    """Return a line for each subject without statistics."""
    return [f"{kind} {subject} has no statistics" for subject in sorted(expected - found)]


def final(values: list[dict[str, Any]], subject: str) -> dict[str, dict[str, Any]]:
    """Return the newest record of each subject, as the contract tells consumers to: highest `as_of_offset`."""
    newest: dict[str, dict[str, Any]] = {}
    for value in values:
        known = newest.get(value[subject])
        if known is None or (value["as_of_offset"], value["as_of"]) >= (known["as_of_offset"], known["as_of"]):
            newest[value[subject]] = value
    return newest


def _wrong(found: dict[str, dict[str, Any]], records: list[ConsumerRecord], expect: Any) -> list[str]:
    log = list(logged(records))
    faults = []
    for subject, value in found.items():
        mine = [entry for entry in log if entry.partition == value["partition"]]
        wanted = expect(
            mine, subject, partition=value["partition"], as_of_offset=value["as_of_offset"], as_of=value["as_of"]
        )
        if wanted != value:
            faults.append(f"{subject}: expected {wanted}, found {value}")
    return faults
