"""Everything that is monitored: Kafka, a provider that fails, two of each program, and what befalls them. Shell."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

import aiohttp

from connector.local.broker import LocalKafka
from connector.local.ports import port_of, reserve
from connector.simulator import Config, Fault, Simulator
from tests.monitoring.people import notifier_environment, people
from tests.support.topics import prepare
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

_PARTITIONS = 4
_WALLETS = 60
_START_S = 120.0
_KEYS = ("dev-0", "dev-1")

FAULTS: Final = (
    Fault(kind="drop", at=5, every=15, times=None),
    Fault(kind="refuse", times=6, status=503),
    Fault(kind="garble", probability=0.01, times=None),
    Fault(kind="duplicate", probability=0.05, times=None),
    Fault(kind="lose_event", probability=0.02, times=None),
    Fault(kind="rest_status", probability=0.05, status=503, times=None),
)
"""What a provider does in a bad hour."""

RULES: Final = """
rules:
  - {id: large, scope: wallet, severity: warning, expr: order.notional >= 20.0, message: large, cooldown: 1s}
  - {id: busy, scope: market, severity: info, expr: market.w1m.orders >= 2, message: busy, cooldown: 1s}
  - {id: unsound, scope: wallet, severity: info, expr: 1 / (wallet.w1m.orders - wallet.w1m.orders) > 0, message: never}
"""
"""The last one divides by zero at every order."""


class World:
    """The running programs, each with an address for its metrics."""

    def __init__(self, folder: Path, kafka: LocalKafka, simulator: Simulator, stack: AsyncExitStack) -> None:
        self.kafka = kafka
        self.simulator = simulator
        self._folder = folder
        self._stack = stack
        self.programs: dict[str, list[WorkerProcess]] = {}
        self.targets: dict[str, list[str]] = {}
        """Addresses by the job of `prometheus.yaml`."""

    def free_port(self) -> int:
        """Return a port that nobody else gets."""
        holder = reserve()
        self._stack.callback(holder.close)
        return port_of(holder)

    async def start(self, job: str, command: str, environment: Mapping[str, str]) -> None:
        """Start a program, with an address for its metrics."""
        address = f"127.0.0.1:{self.free_port()}"
        process = WorkerProcess(
            [sys.executable, "-m", *command.split()],
            {"KAFKA": self.kafka.bootstrap, "PARTITIONS": str(_PARTITIONS), "STATUS_ADDRESS": address, **environment},
            ready=lambda: _answers(address),
            name=job,
            folder=self._folder,
            ready_timeout_s=_START_S,
        )
        await self._stack.enter_async_context(process)
        self.programs.setdefault(job, []).append(process)
        self.targets.setdefault(job, []).append(address)

    async def befall(self) -> None:
        """One of each two that share work is killed, and comes back: work moves over and back again."""
        self.simulator.play()
        for fault in FAULTS:
            self.simulator.inject(fault)
        for job in ("walletstream-connector", "walletstream-streams"):
            victim = self.programs[job][-1]
            await victim.kill()
            await victim.start()

    def check(self) -> None:
        """Raise `ProcessFailed` with its log when a program has ended by itself."""
        for programs in self.programs.values():
            for process in programs:
                process.check()


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """Start everything but the market, and end everything."""
    async with AsyncExitStack() as stack:
        kafka = await stack.enter_async_context(LocalKafka())
        await prepare(kafka.bootstrap, "", _PARTITIONS)
        simulator = await stack.enter_async_context(Simulator(Config(market=1, rate=40.0, burst=20, paused=True)))
        made = World(folder, kafka, simulator, stack)
        await asyncio.gather(
            *(made.start("walletstream-connector", "connector", _connector(simulator, n)) for n in range(len(_KEYS))),
            *(made.start("walletstream-streams", "streams worker", _streams(folder, n)) for n in range(2)),
            made.start("walletstream-board", "streams board", {"BOARD_ADDRESS": "127.0.0.1:0"}),
        )
        listens = await stack.enter_async_context(people())
        told = notifier_environment(folder, listens=listens, absent=made.free_port())
        await made.start("walletstream-notify", "streams notify", told)
        yield made


def _connector(simulator: Simulator, number: int) -> dict[str, str]:
    """Return impatient settings, so that much happens in a minute."""
    return {
        "PROVIDER": "simulator",
        "API_KEY": ",".join(_KEYS),
        "REPLICA": str(number),
        "REPLICAS": str(len(_KEYS)),
        "REPLICA_NAME": f"replica-{number}",
        "TIER": "dev",
        "WS_URL": simulator.ws_url("{key}"),
        "REST_URL": simulator.rest_url,
        "WALLETS": ",".join(simulator.wallets[:_WALLETS]),
        "SESSION_TIMEOUT": "6",
        "CHECKPOINT_INTERVAL": "1",
        "OVERLAP": "5",
        "SETTLE": "2",
        "VERIFY_INTERVAL": "10",
        "AUDIT_INTERVAL": "1",
        "BACKOFF_BASE": "0.2",
        "BACKOFF_CAP": "1",
    }


def _streams(folder: Path, number: int) -> dict[str, str]:
    rules = folder / f"rules-{number}.yaml"
    rules.write_text(RULES, encoding="utf-8")
    return {"RULES": str(rules), "SESSION_TIMEOUT": "6", "REMEMBER_INTERVAL": "0.5"}


async def _answers(address: str) -> bool:
    """Return whether a program's metrics can be read."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://{address}/metrics") as response:
            return response.ok
    except aiohttp.ClientConnectionError:
        return False
