"""The whole system as processes: started in order, watched, stopped in the opposite order. Shell."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.local.connector_log import ConnectorState
from connector.local.errors import ProcessFailed
from connector.local.plan import connector_command, connector_environment, provider_environment
from connector.local.simulator_client import SimulatorClient
from connector.local.starter import Starter
from connector.local.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from connector.local.plan import Plan
    from connector.local.process import Process

_POLL_S = 0.1


class System(NamedTuple):
    """A system that runs."""

    kafka: str
    prefix: str
    """Of its topics."""
    security: Mapping[str, Any]
    """Options of our own clients of Kafka."""
    processes: list[Process]
    connector: Process
    state: ConnectorState
    started_ms: int
    """Unix milliseconds, before the first order."""

    async def watch(self) -> None:
        """Return never; raise `ProcessFailed` with the tail of its log when a process ends."""
        while True:
            for process in self.processes:
                process.check()
            await asyncio.sleep(_POLL_S)

    def connector_state(self) -> ConnectorState:
        """Return what the connector says of itself in its log."""
        for line in self.connector.new_lines():
            self.state.absorb(line)
        return self.state


class Simulated(NamedTuple):
    """A system on a simulator, whose market still waits for `simulator.play()`."""

    system: System
    simulator: SimulatorClient
    wallets: list[str]
    """The watched ones."""


@asynccontextmanager
async def simulated(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[Simulated]:
    """
    Start Kafka, simulator, worker and connector, in this order; stop them in the opposite order.

    `say` is told of the progress. Logs are kept when something fails, and the error says where.
    No `.env` of somebody's real connector is read.

    Raises:
        LocalError: something did not start, or ended by itself.
    """
    async with _logs() as logs, AsyncExitStack() as stack:
        starter = Starter(plan, stack, say, logs=logs, cwd=logs)
        kafka = await starter.kafka()
        address = await starter.simulator()
        simulator = await stack.enter_async_context(SimulatorClient(address))
        wallets = await simulator.wallets(plan.wallets)
        starter.worker(kafka)
        environment = connector_environment(plan, os.environ, kafka=kafka, simulator=address, wallets=wallets)
        system = _system(plan, starter, kafka, environment)
        await starter.worker_ready(kafka)

        watcher = Watcher(kafka, plan.prefix, plan.security)

        async def watched() -> bool:
            return (await watcher.refresh()).live == len(wallets)

        await starter.until(watched, f"connector watches {len(wallets)} wallets")
        await starter.prove(kafka, simulator, wallets[0])
        yield Simulated(system, simulator, wallets)


@asynccontextmanager
async def provided(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[System]:
    """
    Start Kafka, worker and connector with the settings of the environment and of `.env`; stop them in reverse.

    Whether the provider can be reached is for the connector's state to say, not waited for.

    Raises:
        LocalError: something did not start, or ended by itself.
    """
    async with _logs() as logs, AsyncExitStack() as stack:
        say(f"logs of this run in {logs}")
        starter = Starter(plan, stack, say, logs=logs, cwd=None)
        kafka = await starter.kafka()
        starter.worker(kafka)
        system = _system(plan, starter, kafka, provider_environment(plan, os.environ, kafka=kafka))

        async def started() -> bool:
            return system.connector_state().started

        await starter.until(started, "connector started")
        await starter.worker_ready(kafka)
        yield system


@asynccontextmanager
async def _logs() -> AsyncIterator[Path]:
    """A folder for logs, which stays when a process failed."""
    folder = Path(tempfile.mkdtemp(prefix="walletstream-"))
    keep = False
    try:
        yield folder
    except ProcessFailed:
        keep = True
        raise
    finally:
        if not keep:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _system(plan: Plan, starter: Starter, kafka: str, environment: dict[str, str]) -> System:
    """Start the connector, which completes the system."""
    began_ms = time.time_ns() // 1_000_000
    connector = starter.start("connector", connector_command(), environment)
    return System(kafka, plan.prefix, plan.security, starter.processes, connector, ConnectorState(), began_ms)
