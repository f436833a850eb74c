"""The whole system as processes: started in order, watched, stopped in the opposite order. Shell."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aiokafka.errors import KafkaError

from connector.kafka.groups import group_is_stable
from connector.local.broker import LocalKafka
from connector.local.errors import ProcessFailed
from connector.local.plan import (
    connector_command,
    connector_environment,
    first_order,
    simulator_command,
    worker_command,
    worker_environment,
)
from connector.local.process import Process
from connector.local.reader import end_offsets
from connector.local.simulator_client import SimulatorClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from connector.local.plan import Plan

_START_TIMEOUT_S = 60.0
_STOP_GRACE_S = 12.0
_POLL_S = 0.1
_READY = re.compile(r"simulator ready on (\S+:\d+)")


class System(NamedTuple):
    """A system that runs; the market still waits for `simulator.play()`."""

    kafka: str
    simulator: SimulatorClient
    wallets: list[str]
    """The watched ones."""
    processes: list[Process]
    started_ms: int
    """Unix milliseconds, before the first order."""

    async def watch(self) -> None:
        """Return never; raise `ProcessFailed` with the tail of its log when a process ends."""
        while True:
            for process in self.processes:
                process.check()
            await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def running(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[System]:
    """
    Start Kafka, simulator, worker and connector, in this order; stop them in the opposite order.

    `say` is told of the progress. Logs are kept when something fails, and the error says where.

    Raises:
        LocalError: something did not start, or ended by itself.
    """
    folder = Path(tempfile.mkdtemp(prefix="walletstream-"))
    keep_logs = False
    try:
        async with _started(plan, folder, say) as system:
            yield system
    except ProcessFailed:
        keep_logs = True
        raise
    finally:
        if not keep_logs:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@asynccontextmanager
async def _started(plan: Plan, folder: Path, say: Callable[[str], None]) -> AsyncIterator[System]:
    async with AsyncExitStack() as stack:
        starter = _Starter(plan, folder, stack, say)
        kafka = await starter.kafka()
        address = await starter.simulator()
        simulator = await stack.enter_async_context(SimulatorClient(address))
        wallets = await simulator.wallets(plan.wallets)
        starter.worker(kafka)
        starter.connector(kafka, address, wallets)
        await starter.until(lambda: _group_ready(kafka, plan.group), "streams worker ready")
        await starter.until(lambda: _subscribed(simulator), f"connector subscribed to {len(wallets)} wallets")
        started_ms = time.time_ns() // 1_000_000
        await starter.prove(kafka, simulator, wallets[0])
        yield System(kafka, simulator, wallets, starter.processes, started_ms)


class _Starter:
    """Starts the processes, each registered for its stop."""

    def __init__(self, plan: Plan, folder: Path, stack: AsyncExitStack, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._folder = folder
        self._stack = stack
        self._say = say
        self.processes: list[Process] = []

    async def kafka(self) -> str:
        """Return the address of the cluster, our own if none was given."""
        if self._plan.kafka is not None:
            return self._plan.kafka
        self._say("starting Apache Kafka (the first time its jars are downloaded)")
        broker = await self._stack.enter_async_context(LocalKafka(data_dir=self._plan.data_dir))
        self.processes.append(broker.process)
        self._say(f"Kafka ready on {broker.bootstrap}")
        return broker.bootstrap

    async def simulator(self) -> str:
        """Start the simulator and return its address."""
        process = self._start("simulator", simulator_command(self._plan), dict(os.environ))

        async def ready() -> bool:
            return _READY.search(process.tail()) is not None

        await self.until(ready, "simulator ready")
        found = _READY.search(process.tail())
        return found.group(1) if found else ""

    def worker(self, kafka: str) -> None:
        """Start the streams worker."""
        self._start("streams worker", worker_command(), worker_environment(self._plan, os.environ, kafka=kafka))

    def connector(self, kafka: str, simulator: str, wallets: list[str]) -> None:
        """Start the connector."""
        environment = connector_environment(self._plan, os.environ, kafka=kafka, simulator=simulator, wallets=wallets)
        self._start("connector", connector_command(), environment)

    async def prove(self, kafka: str, simulator: SimulatorClient, wallet: str) -> None:
        """Send one order all the way, so that the market opens to programs that are warm."""
        topic = self._plan.prefix + "wallet-stats.v1"
        before = await end_offsets(kafka, topic)
        await simulator.execute([first_order(wallet, f"0x{secrets.token_hex(32)}")])

        async def counted() -> bool:
            return await end_offsets(kafka, topic) != before

        await self.until(counted, "first order counted in the statistics")

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> Process:
        """Start a process in a folder of its own, so that no `.env` of somebody's real connector is read."""
        log = self._folder / f"{name.replace(' ', '-')}.log"
        process = Process(name, command, log=log, env=environment, cwd=self._folder)
        self._stack.push_async_callback(process.stop, grace_s=_STOP_GRACE_S)
        self.processes.append(process)
        return process

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait until the condition holds, while every process lives, and say so."""
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while not await condition():
                    for process in self.processes:
                        process.check()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            raise ProcessFailed(f"no {what} after {_START_TIMEOUT_S:.0f} s; see the logs in {self._folder}") from error
        self._say(what)


async def _group_ready(kafka: str, group: str) -> bool:
    try:
        return await group_is_stable(kafka, group)
    except KafkaError:
        return False


async def _subscribed(simulator: SimulatorClient) -> bool:
    return bool((await simulator.stats())["subscriptions"])
