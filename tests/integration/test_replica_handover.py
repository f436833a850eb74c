"""
Wallets change hands among three replicas, as processes: nothing is lost, whatever ends a replica.

Orders may be double after an unclean end only, and then were handed to Kafka by two owners.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from connector.simulator import Config, Simulator, Switches
from tests.support.replica import KEY, Topics, executed, replica_process, settings, settled, until

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from connector.local.broker import LocalKafka


class Group:
    """Replicas of one deployment, and the simulator they watch."""

    def __init__(self, kafka: LocalKafka, prefix: str, simulator: Simulator, folder: Path) -> None:
        self.kafka = kafka
        self.prefix = prefix
        self.simulator = simulator
        self._folder = folder
        self._stack = AsyncExitStack()
        self.replicas: dict[str, Process] = {}

    async def start(self, name: str) -> None:
        """Start a replica with a key of its own."""
        values = settings(self.kafka, self.prefix, self.simulator, replica_name=name, api_key=f"{KEY}-{name}")
        values |= {"wallets": ",".join(self.simulator.wallets), "rest_share": 0.8, "log_level": "debug"}
        self.replicas[name] = await self._stack.enter_async_context(replica_process(self._folder, **values))

    async def owners(self) -> dict[str, int]:
        """Return how many wallets are live by each replica's own word."""
        found = await settled(self.kafka, self.prefix, lambda _: True)
        counts: dict[str, int] = {}
        for checkpoint in found.coverage.values():
            if checkpoint is not None and checkpoint.standing == "live":
                counts[checkpoint.owner] = counts.get(checkpoint.owner, 0) + 1
        return counts

    async def all_live(self, *names: str) -> None:
        """Wait until exactly these replicas own all wallets, and each is live."""
        async with asyncio.timeout(90):
            while True:
                owners = await self.owners()
                if set(owners) == set(names) and sum(owners.values()) == len(self.simulator.wallets):
                    return
                await asyncio.sleep(0.1)

    async def judged(self) -> Topics:
        """Hold the market until every order is there and every gap has ended; return the topics."""
        self.simulator.pause()
        await self.simulator.settled()
        expected = executed(self.simulator.book, self.simulator.wallets)
        found = await settled(
            self.kafka, self.prefix, lambda now: expected <= now.counts.keys() and not now.open, seconds=40
        )
        assert not expected - found.counts.keys()
        assert not found.counts.keys() - expected
        assert not found.open
        return found

    async def said(self, name: str, word: str) -> None:
        """Wait until a replica's log holds a word."""
        await until(lambda: word in (self._folder / f"{name}.log").read_text())

    async def close(self) -> None:
        """Kill what still runs."""
        await self._stack.aclose()


@asynccontextmanager
async def group(kafka: LocalKafka, prefix: str, folder: Path, *names: str) -> AsyncIterator[Group]:
    """Run replicas that own all wallets of a market that then begins."""
    config = Config(market=5, rate=60.0, burst=5, wallets=24, paused=True, switches=Switches(rest_lag=0.5))
    async with Simulator(config) as simulator:
        made = Group(kafka, prefix, simulator, folder)
        try:
            for name in names:
                await made.start(name)
            await made.all_live(*names)
            simulator.play()
            yield made
        finally:
            await made.close()


async def test_a_replica_that_stops_hands_over(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """SIGTERM: exit 0, the others have its wallets within seconds, nothing missing, nothing double."""
    async with group(kafka, topic_prefix, tmp_path, "a", "b", "c") as made:
        await asyncio.sleep(1)
        made.replicas["b"].send_signal(signal.SIGTERM)
        await made.all_live("a", "c")
        assert await made.replicas["b"].wait() == 0
        await asyncio.sleep(1)
        assert not (await made.judged()).double


async def test_a_replica_that_dies_is_replaced(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """SIGKILL: after its session the others fetch what nobody delivered meanwhile."""
    async with group(kafka, topic_prefix, tmp_path, "a", "b", "c") as made:
        await settled(kafka, topic_prefix, lambda now: not now.open)  # or its successor goes on with a gap of the start
        await asyncio.sleep(1)
        made.replicas["b"].kill()
        await made.all_live("a", "c")
        found = await made.judged()
        assert sum(report.recovered for report in found.ended("handover")) > 0
        assert not found.double


async def test_a_newcomer_takes_its_share_and_the_others_keep_their_sockets(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """A rebalance opens no connection but the newcomer's."""
    async with group(kafka, topic_prefix, tmp_path, "a", "b") as made:
        await asyncio.sleep(1)
        before = set(made.simulator.connections)
        await made.start("c")
        await made.all_live("a", "b", "c")
        assert before < set(made.simulator.connections)
        assert len(made.simulator.connections) == 3
        assert not (await made.judged()).double


async def test_a_replica_that_was_frozen_decides_on_nothing_when_it_wakes(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """
    Frozen for longer than its session while Kafka works: what lay in its socket is not published by it.

        b  ── frozen ───────────────── wakes: lease over, revoked, joins again
        a          session over: owns all, fetches
    """
    async with group(kafka, topic_prefix, tmp_path, "a", "b") as made:
        await asyncio.sleep(1)
        made.replicas["b"].send_signal(signal.SIGSTOP)
        await made.all_live("a")
        await asyncio.sleep(1)
        made.replicas["b"].send_signal(signal.SIGCONT)
        await made.all_live("a", "b")
        found = await made.judged()
        # At most what was handed to its client at the moment it was frozen.
        assert len(found.double) <= 3
