"""
Workers as processes that tests start, terminate and kill, and the fault schedule they live through.

    worker = WorkerProcess([sys.executable, "-m", "streams", "worker"], env, ready=GroupProbe(kafka, group))
    async with worker:             # start() and wait until ready; killed at the end if it still runs
        await worker.term()
        await worker.start()

Logs of the runs are appended to one file; `log_tail()` is its end.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

import psutil  # type: ignore[import-untyped]
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connector.local.errors import ProcessFailed
from connector.local.process import Process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from types import TracebackType

_POLL_S = 0.1
_READY_TIMEOUT_S = 60.0
_TERM_GRACE_S = 20.0
_numbers = itertools.count(1)


class WorkerProcess:
    """
    One worker, which may be started again after it has ended. All its runs write one log.

    Args:
        argv: the command.
        env: variables added to this process's environment.
        ready: asked after a start until it says True; None: ready as soon as it runs.
        name: for errors and the log's file name.
        folder: where the log goes; default: a temporary one that stays, since logs are read after failures.
        ready_timeout_s: how long a start may take.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        ready: Callable[[], Awaitable[bool]] | None = None,
        name: str = "worker",
        folder: Path | None = None,
        ready_timeout_s: float = _READY_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._argv = list(argv)
        self._env = {**os.environ, **(env or {})}
        self._ready = ready
        self._ready_timeout_s = ready_timeout_s
        self._folder = folder
        self._log: Path | None = None
        self._process: Process | None = None

    @property
    def log(self) -> Path:
        """The log of all runs."""
        if self._log is None:
            folder = self._folder or Path(tempfile.mkdtemp(prefix="walletstream-workers-"))
            self._log = folder / f"{self.name}-{next(_numbers)}.log"
        return self._log

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Process id of the current run."""
        return self._current().pid

    @property
    def exit_code(self) -> int | None:
        """Exit code of the last run (negative: the signal), or None while it runs."""
        return self._current().returncode

    async def start(self, *, wait: bool = True) -> None:
        """
        Start, and wait until ready unless told otherwise.

        Raises:
            ProcessFailed: it ended, or was not ready in time; holds the end of its log.
        """
        if self.running:
            raise AssertionError(f"{self.name} runs already")
        self._process = Process(self.name, self._argv, log=self.log, env=self._env)
        if wait:
            await self.until_ready()

    async def until_ready(self) -> None:
        """Wait until the probe says True; raises `ProcessFailed` like `start`."""
        try:
            async with asyncio.timeout(self._ready_timeout_s):
                while self._ready is not None and not await self._ready():
                    self.check()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            await self.kill()
            raise ProcessFailed(
                f"{self.name} was not ready after {self._ready_timeout_s:.0f} s; its log {self.log} ends:\n"
                f"{self.log_tail()}"
            ) from error

    def check(self) -> None:
        """Raise `ProcessFailed` with the end of the log when it has ended by itself."""
        self._current().check()

    async def term(self, *, grace_s: float = _TERM_GRACE_S) -> int:
        """Send SIGTERM, after `grace_s` SIGKILL; return the exit code (-9: it had to be killed)."""
        return await self._current().stop(grace_s=grace_s)

    async def ended(self, *, limit_s: float = _READY_TIMEOUT_S) -> int:
        """Wait until it ends by itself; return the exit code."""
        return await asyncio.wait_for(self._current().wait(), limit_s)

    async def kill(self) -> int:
        """Send SIGKILL and reap; return the exit code."""
        return await self._current().kill()

    def log_tail(self) -> str:
        """Return the end of the log."""
        return self._process.tail() if self._process is not None else ""

    def cpu_seconds(self) -> float:
        """Return the user and system time that the current run has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def _current(self) -> Process:
        if self._process is None:
            raise AssertionError(f"{self.name} was never started")
        return self._process

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()


class GroupProbe:
    """
    Says that a worker has joined: the group is stable with so many members, one of them new to this probe.

    A killed worker stays a member until its session times out, so each worker needs a probe of its own,
    and the number alone would mistake the dead for the living.
    """

    def __init__(self, bootstrap: str, group: str, *, members: int = 1) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._members = members
        self._known: frozenset[str] = frozenset()

    async def __call__(self) -> bool:
        """Ask the broker."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            (response,) = await admin.describe_consumer_groups([self._group])
        except KafkaError:
            return False  # no coordinator yet
        finally:
            await admin.close()
        _, _, state, _, _, found, *_ = response.groups[0]
        members = frozenset(member[0] for member in found)
        if state != "Stable" or len(members) != self._members or members <= self._known:
            return False
        self._known = members
        return True


class Step(NamedTuple):
    """One fault: what is done to which worker (an index)."""

    action: Literal["start", "term", "kill", "restart after term", "restart after kill"]
    worker: int = 0


FAULT_SCHEDULE: tuple[Step, ...] = (
    *[Step("restart after term")] * 3,
    *[Step("restart after kill")] * 3,
    Step("start", 1),
    Step("term", 1),
)
"""SIGTERM three times, SIGKILL three times, rescale 1-2-1. It begins and ends with worker 0 alone."""


async def run_schedule(
    workers: Sequence[WorkerProcess],
    between: Callable[[], Awaitable[None]],
    *,
    schedule: Iterable[Step] = FAULT_SCHEDULE,
    wait: bool = True,
) -> None:
    """
    Do the steps in turn and await `between` after each, which waits for progress or just sleeps.

    `wait=False` does not wait until a started worker is ready: then faults hit while it recovers.
    """
    for action, index in schedule:
        worker = workers[index]
        if action in {"term", "restart after term"}:
            await worker.term()
        elif action in {"kill", "restart after kill"}:
            await worker.kill()
        if action not in {"term", "kill"}:
            await worker.start(wait=wait)
        await between()
