"""The process control that fault tests stand on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from connector.local.errors import ProcessFailed
from tests.support.workers import FAULT_SCHEDULE, Step, WorkerProcess, run_schedule

if TYPE_CHECKING:
    from pathlib import Path

POLITE = (
    "import pathlib, signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
    "pathlib.Path(sys.argv[1]).touch()\n"
    "print('ready', flush=True)\n"
    "time.sleep(30)\n"
)


def polite(folder: Path) -> WorkerProcess:
    """Return a worker that is ready when it has made a file, and exits with 3 when asked to stop."""
    marker = folder / "ready"

    async def ready() -> bool:
        return marker.exists()

    return WorkerProcess([sys.executable, "-c", POLITE, str(marker)], ready=ready, folder=folder)


async def test_stops_as_asked_and_starts_again(tmp_path: Path) -> None:
    """SIGTERM lets it choose its exit code, SIGKILL does not, and both runs are in the log."""
    worker = polite(tmp_path)
    await worker.start()
    assert await worker.term() == 3
    (tmp_path / "ready").unlink()
    async with worker:
        assert worker.running
        assert await worker.kill() == -9
    assert worker.log_tail() == "ready\nready"
    assert not worker.running


async def test_an_end_before_ready_is_shown_with_its_log(tmp_path: Path) -> None:
    """A worker that fails at start is an error that says what it said."""

    async def never() -> bool:
        return False

    argv = [sys.executable, "-c", "import sys; sys.exit('no such broker')"]
    with pytest.raises(ProcessFailed, match=r"broken ended with code 1(.|\n)*no such broker"):
        await WorkerProcess(argv, ready=never, name="broken", folder=tmp_path).start()


async def test_one_that_is_never_ready_is_killed(tmp_path: Path) -> None:
    """The wait is bounded, and nothing is left behind."""

    async def never() -> bool:
        return False

    worker = WorkerProcess(
        [sys.executable, "-c", "import time; time.sleep(30)"], ready=never, folder=tmp_path, ready_timeout_s=0.2
    )
    with pytest.raises(ProcessFailed, match="was not ready after"):
        await worker.start()
    assert not worker.running


class Recorder(WorkerProcess):
    """A worker that only notes what is done to it."""

    def __init__(self, number: int, done: list[str]) -> None:
        super().__init__([])
        self.number, self.done = number, done

    async def start(self, *, wait: bool = True) -> None:
        """Note it."""
        self.done.append(f"start {self.number}{'' if wait else ' at once'}")

    async def term(self, *, grace_s: float = 0.0) -> int:
        """Note it."""
        self.done.append(f"term {self.number}")
        return 0

    async def kill(self) -> int:
        """Note it."""
        self.done.append(f"kill {self.number}")
        return -9


async def test_the_schedule_is_done_in_order_with_pauses() -> None:
    """Three terms, three kills, then one more worker comes and goes."""
    done: list[str] = []

    async def between() -> None:
        done.append("-")

    await run_schedule([Recorder(0, done), Recorder(1, done)], between)
    term, kill = ["term 0", "start 0", "-"], ["kill 0", "start 0", "-"]
    assert done == [*term * 3, *kill * 3, "start 1", "-", "term 1", "-"]
    assert len(FAULT_SCHEDULE) == 8


async def test_faults_may_hit_a_worker_that_is_not_ready() -> None:
    """Without waiting, the next fault comes while the last start is still under way."""
    done: list[str] = []

    async def between() -> None:
        """Wait for nothing."""

    await run_schedule([Recorder(0, done)], between, schedule=[Step("restart after kill")], wait=False)
    assert done == ["kill 0", "start 0 at once"]
