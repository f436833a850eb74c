"""Everything that runs: broker behind a proxy, simulator, replicas of the connector, a streams worker."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from connector.local.broker import LocalKafka
from connector.simulator import Config, Fault, Simulator, Switches
from tests.chaos.journal import Journal
from tests.chaos.replicas import Replica, replica_env
from tests.chaos.watchlist import WatchList
from tests.support.delay_proxy import DelayProxy
from tests.support.topics import prepare
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.chaos.options import Options

_POLL_S = 0.1
_RESTART_S = 1.0

RULES = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 40.0, message: large, cooldown: 2s}
  - {id: burst, scope: wallet, severity: info, expr: wallet.w1m.orders >= 12, message: burst, cooldown: 5s}
"""


class World:
    """The running parts, and what is known of them."""

    def __init__(self, options: Options, folder: Path, kafka: LocalKafka, proxy: DelayProxy, sim: Simulator) -> None:
        self.options = options
        self.folder = folder
        self.kafka = kafka
        self.proxy = proxy
        self.simulator = sim
        self.journal = Journal()
        self.broker = asyncio.Lock()
        """Held by whoever does something to the broker."""
        self.replicas = [
            Replica(number, replica_env(options, number, proxy.bootstrap, sim, self.static), folder)
            for number in range(options.replicas)
        ]
        self.watch_list: WatchList
        self.streams = WorkerProcess(
            [sys.executable, "-m", "streams", "worker"],
            {
                "KAFKA": proxy.bootstrap,
                "PARTITIONS": str(options.partitions),
                "SESSION_TIMEOUT": "6",
                "RULES": str(_rules(folder)),
            },
            name="streams",
            folder=folder,
        )

    @property
    def static(self) -> list[str]:
        """Wallets watched by setting: some busy, some not."""
        return self.simulator.wallets[1 : 1 + 2 * self.options.static : 2]

    @property
    def candidates(self) -> list[str]:
        """All other wallets, which the watch-list may hold, the busiest first."""
        static = set(self.static)
        return [wallet for wallet in self.simulator.wallets if wallet not in static]

    async def tend(self) -> None:
        """Start again what ended by itself, and note whose connection is whose, for ever."""
        while True:
            for replica in self.replicas:
                if replica.ended_by_itself:
                    code, tail = replica.process.exit_code, replica.process.log_tail()[-600:]
                    # As its manual says: a replica that finds no Kafka at its start ends, and is started again.
                    kind = "no_kafka" if code == 4 and "connector.started" not in tail else "exit"
                    self.journal.note(kind, replica=replica.name, detail=f"code {code}: {tail}")
                    await asyncio.sleep(_RESTART_S)
                    if replica.ended_by_itself:
                        await replica.start()
            if self.options.streams and not self.streams.running:
                self.journal.note("streams_exit", detail=self.streams.log_tail()[-600:])
                await self.streams.start(wait=False)
            self._note_connections()
            await asyncio.sleep(_POLL_S)

    def _note_connections(self) -> None:
        names = {replica.key: replica.name for replica in self.replicas}
        for number, channel in self.simulator._engine.channels.items():
            key = channel.target.key
            if number not in self.journal.publishers and key in names:
                self.journal.publishers[number] = names[key]

    async def heal(self) -> None:
        """Undo what strikes left behind: everything runs, nothing is slow."""
        self.simulator.clear_faults()
        if self.options.naive == "repair":
            self.simulator.inject(NO_REST)
        self.proxy.extra_s = {}
        for replica in self.replicas:
            async with replica.lock:
                if not replica.process.running:
                    await replica.start()


NO_REST = Fault(kind="rest_status", status=503, times=None)


@asynccontextmanager
async def world(options: Options) -> AsyncIterator[World]:
    """Start everything but the market, and end everything."""
    folder = Path(tempfile.mkdtemp(prefix="walletstream-chaos-"))
    async with AsyncExitStack() as stack:
        kafka = await stack.enter_async_context(LocalKafka())
        await prepare(kafka.bootstrap, "", options.partitions)
        proxy = DelayProxy(("127.0.0.1", kafka.ports.proxied), port=kafka.ports.proxy, rtt_s=options.rtt_s)
        await stack.enter_async_context(proxy)
        simulator = await stack.enter_async_context(Simulator(_config(options)))
        made = World(options, folder, kafka, proxy, simulator)
        if options.naive == "repair":
            simulator.inject(NO_REST)
        made.watch_list = await stack.enter_async_context(WatchList(kafka.bootstrap, made.journal))
        stack.push_async_callback(_end, made)
        if options.streams:
            await made.streams.start(wait=False)
        await asyncio.gather(*(replica.start() for replica in made.replicas))
        tending = asyncio.create_task(made.tend())
        try:
            yield made
        finally:
            tending.cancel()
            await asyncio.gather(tending, return_exceptions=True)


def _config(options: Options) -> Config:
    return Config(
        market=options.seed,
        rate=options.rate,
        burst=20,
        wallets=options.wallets,
        twins=0.05,
        paused=True,
        dialect=options.dialect,
        switches=Switches(rest_lag=options.rest_lag, ping_interval=5.0),
    )


def _rules(folder: Path) -> Path:
    path = folder / "rules.yaml"
    path.write_text(RULES)
    return path


async def _end(world: World) -> None:
    for process in (*(replica.process for replica in world.replicas), world.streams):
        if process.running:
            os.kill(process.pid, signal.SIGCONT)
            await process.kill()
