"""Lets the strikes of a schedule happen, at their times, side by side."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

from connector.simulator.market import GeneratedMarket
from tests.chaos.journal import now_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.schedule import Strike
    from tests.chaos.world import World

_PRODUCE = 0
"""Kafka's api key of Produce."""
_SINCE_MS = 60_000
_ORDERLY = {0, 5, -15}
"""After SIGTERM: everything published; or Kafka did not take everything, and it is said; or nothing had begun."""
_BURST_PIECE = 50


class Striker:
    """Performs strikes on a world, and counts them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._begun_ms = now_ms()
        self._churning = asyncio.Lock()
        self.struck: Counter[str] = Counter()
        """Own kinds only: the simulator counts its own."""

    async def run(self, strikes: Sequence[Strike]) -> None:
        """Begin each strike at its time, and wait for the end of all; those on one target wait for each other."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with asyncio.TaskGroup() as group:
            for strike in strikes:
                await asyncio.sleep(max(0.0, start + strike.at - loop.time()))
                group.create_task(self._strike(strike))

    async def _strike(self, strike: Strike) -> None:
        if strike.faults:
            self._world.journal.note(strike.kind, replica=None, detail=repr(strike.faults[0]))
            for fault in strike.faults:
                self._world.simulator.inject(fault)
            return
        await getattr(self, f"_{strike.kind}")(strike)
        self.struck[strike.kind] += 1

    async def _replica_kill(self, strike: Strike) -> None:
        replica = self._world.replicas[strike.replica]
        async with replica.lock:
            with self._world.journal.during(strike.kind, replica=replica.name):
                await replica.kill()
                await asyncio.sleep(strike.seconds)
            await replica.start()

    async def _replica_term(self, strike: Strike) -> None:
        replica = self._world.replicas[strike.replica]
        async with replica.lock:
            with self._world.journal.during(strike.kind, replica=replica.name):
                code = await replica.term()
                await asyncio.sleep(strike.seconds)
            if code not in _ORDERLY:
                self._world.journal.note("crash", replica=replica.name, detail=f"SIGTERM, exit code {code}")
            await replica.start()

    async def _replica_stop(self, strike: Strike) -> None:
        replica = self._world.replicas[strike.replica]
        async with replica.lock:
            with self._world.journal.during(strike.kind, replica=replica.name, detail=f"{strike.seconds:.1f} s"):
                replica.signal(signal.SIGSTOP)
                await asyncio.sleep(strike.seconds)
                replica.signal(signal.SIGCONT)

    async def _clock_jump(self, strike: Strike) -> None:
        replica = self._world.replicas[strike.replica]
        async with replica.lock:
            self._world.journal.note(strike.kind, replica=replica.name, detail=f"{strike.amount:+.0f} s")
            if replica.ready_for_signals:
                replica.signal(signal.SIGUSR1 if strike.amount > 0 else signal.SIGUSR2)

    async def _broker_kill(self, strike: Strike) -> None:
        async with self._world.broker:
            with self._world.journal.during(strike.kind):
                await self._world.kafka.kill()
                await asyncio.sleep(strike.seconds)
                await self._world.kafka.start()

    async def _broker_stop(self, strike: Strike) -> None:
        async with self._world.broker:
            with self._world.journal.during(strike.kind, detail=f"{strike.seconds:.1f} s"):
                pid = self._world.kafka.process.pid
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(strike.seconds)
                os.kill(pid, signal.SIGCONT)

    async def _slow_broker(self, strike: Strike) -> None:
        async with self._world.broker:
            with self._world.journal.during(strike.kind, detail=f"{strike.amount:.1f} s each"):
                self._world.proxy.extra_s = {_PRODUCE: strike.amount}
                await asyncio.sleep(strike.seconds)
                self._world.proxy.extra_s = {}

    async def _watch_churn(self, strike: Strike) -> None:
        """Change the list; one change at a time, for two that wait for the broker might pick the same newcomer."""
        world, rng = self._world, Random(strike.seed)
        async with self._churning:
            with world.journal.during(strike.kind):
                listed = set(world.journal.on_list)
                count = min(round(strike.amount), len(listed))
                leave = rng.sample([wallet for wallet in world.candidates if wallet in listed], count)
                enter = rng.sample([wallet for wallet in world.candidates if wallet not in listed], count)
                since = max(self._begun_ms, now_ms() - _SINCE_MS) if rng.random() < 0.5 else None
                await world.watch_list.remove(leave)
                await world.watch_list.add(enter, since_ms=since)

    async def _burst(self, strike: Strike) -> None:
        """Execute many orders within a moment; half of the bursts are all of one wallet."""
        world, rng = self._world, Random(strike.seed)
        with world.journal.during(strike.kind):
            rows = _rows(strike, world.simulator.wallets, rng)
            for first in range(0, len(rows), _BURST_PIECE):
                await world.simulator.execute(rows[first : first + _BURST_PIECE])


def _rows(strike: Strike, wallets: Sequence[str], rng: Random) -> list[dict[str, Any]]:
    """Return orders of a market of their own, traded by the wallets of the simulator's."""
    market = GeneratedMarket(Random(strike.seed), rate=1_000.0, burst=100, wallets=len(wallets))
    only = rng.choice(wallets) if rng.random() < 0.5 else None
    names = {theirs: only or ours for theirs, ours in zip(market.wallets, wallets, strict=True)}
    rows: list[dict[str, Any]] = []
    for batch in market.batches():
        rows += batch.rows
        if len(rows) >= strike.amount:
            break
    now_s = now_ms() // 1_000
    return [row | {"user": names[row["user"]], "timestamp": now_s} for row in rows[: round(strike.amount)]]
