"""Starts the processes of the system, each registered for its stop. Shell."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from connector.kafka.groups import group_is_stable
from connector.kafka.reader import end_offsets
from connector.local.broker import LocalKafka
from connector.local.errors import ProcessFailed
from connector.local.plan import first_order, simulator_command, worker_command, worker_environment
from connector.local.process import Process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from contextlib import AsyncExitStack
    from pathlib import Path

    from connector.local.plan import Plan
    from connector.local.simulator_client import SimulatorClient

_START_TIMEOUT_S = 60.0
_STOP_GRACE_S = 12.0
_POLL_S = 0.1
_READY = re.compile(r"simulator ready on (\S+:\d+)")


class Starter:
    """
    Starts processes that `stack` stops again, with logs in `logs`.

    They run in the folder `cwd`: where somebody's `.env` is, or where it is not, so that it is not read.
    """

    def __init__(
        self, plan: Plan, stack: AsyncExitStack, say: Callable[[str], None], *, logs: Path, cwd: Path | None
    ) -> None:
        self._plan = plan
        self._stack = stack
        self._say = say
        self._logs = logs
        self._cwd = cwd
        self.processes: list[Process] = []

    async def kafka(self) -> str:
        """Return the address of the cluster, our own if none was given."""
        if self._plan.kafka is not None:
            return self._plan.kafka
        self._say("starting Apache Kafka (the first time its jars are downloaded)")
        broker = await self._stack.enter_async_context(LocalKafka(data_dir=self._plan.data_dir, port=self._plan.port))
        self.processes.append(broker.process)
        kept = f", data in {broker.data_dir}" if self._plan.data_dir is not None else ""
        self._say(f"Kafka ready on {broker.bootstrap}{kept}")
        return broker.bootstrap

    async def simulator(self) -> str:
        """Start the simulator and return its address."""
        process = self.start("simulator", simulator_command(self._plan), dict(os.environ))

        async def ready() -> bool:
            return _READY.search(process.tail()) is not None

        await self.until(ready, "simulator ready")
        found = _READY.search(process.tail())
        return found.group(1) if found else ""

    def worker(self, kafka: str) -> None:
        """Start the streams worker."""
        self.start("streams worker", worker_command(), worker_environment(self._plan, os.environ, kafka=kafka))

    async def worker_ready(self, kafka: str) -> None:
        """Wait until the worker has its partitions."""

        async def ready() -> bool:
            try:
                return await group_is_stable(kafka, self._plan.group, **self._plan.security)
            except KafkaError:
                return False

        await self.until(ready, "streams worker ready")

    async def prove(self, kafka: str, simulator: SimulatorClient, wallet: str) -> None:
        """Send one order all the way, so that the market opens to programs that are warm."""
        topic = self._plan.prefix + "wallet-stats.v1"
        before = await end_offsets(kafka, topic, **self._plan.security)
        await simulator.execute([first_order(wallet, f"0x{secrets.token_hex(32)}")])

        async def counted() -> bool:
            return await end_offsets(kafka, topic, **self._plan.security) != before

        await self.until(counted, "first order counted in the statistics")

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """Start a process."""
        log = self._logs / f"{name.replace(' ', '-')}.log"
        process = Process(name, command, log=log, env=environment, cwd=self._cwd)
        self._stack.push_async_callback(process.stop, grace_s=_STOP_GRACE_S)
        self.processes.append(process)
        return process

    async def until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """
        Wait until the condition holds, while every process lives, and say so.

        Raises:
            ProcessFailed: a process ended, or it took too long.
        """
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while not await condition():
                    for process in self.processes:
                        process.check()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            raise ProcessFailed(f"no {what} after {_START_TIMEOUT_S:.0f} s; see the logs in {self._logs}") from error
        self._say(what)
