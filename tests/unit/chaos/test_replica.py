"""The launcher whose wall clock jumps."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from tests.support.workers import WorkerProcess

STAND_IN = """
import os, time
print(os.environ["REPLICA_NAME"], flush=True)
while True:
    print(time.time_ns() // 10**9, flush=True)
    time.sleep(0.05)
"""


async def said(process: WorkerProcess, offset_s: float) -> None:
    """Wait until the process tells a time that is so far from ours."""
    async with asyncio.timeout(5):
        while True:
            line = process.log_tail().rpartition("\n")[2]
            if line.isdigit() and abs(int(line) - time.time_ns() / 1e9 - offset_s) < 30:
                return
            await asyncio.sleep(0.02)


async def test_signals_make_the_wall_clock_jump(tmp_path: Path) -> None:
    """An hour ahead, an hour back, and a name of its own for each life."""
    package = tmp_path / "connector"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(STAND_IN)
    root = Path(__file__).parents[3]
    env = {"PYTHONSAFEPATH": "1", "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}", "REPLICA_NAME": "r"}
    process = WorkerProcess([sys.executable, "-m", "tests.chaos.replica"], env, folder=tmp_path)
    async with process:
        await said(process, 0)
        assert f"r.{process.pid}\n" in process.log.read_text()
        os.kill(process.pid, signal.SIGUSR1)
        await said(process, 3_600)
        os.kill(process.pid, signal.SIGUSR2)
        await said(process, -3_600)
