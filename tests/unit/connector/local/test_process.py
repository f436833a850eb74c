from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from connector.local.errors import ProcessFailed
from connector.local.process import Process

if TYPE_CHECKING:
    from pathlib import Path

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def python(tmp_path: Path, code: str) -> Process:
    """Start a Python program."""
    return Process("program", [sys.executable, "-c", code], log=tmp_path / "log", cwd=tmp_path)


async def until_up(process: Process) -> None:
    """Wait until the program has said that it is up."""
    async with asyncio.timeout(5):
        while "up" not in process.tail():  # noqa: ASYNC110 (another process has no event)
            await asyncio.sleep(0.01)


async def test_the_end_of_a_process_is_an_error_with_its_log(tmp_path: Path) -> None:
    """What it said last is shown, with name and exit code; while it runs there is no error."""
    process = python(tmp_path, "print('the reason'); raise SystemExit(3)")
    assert await process.wait() == 3
    with pytest.raises(ProcessFailed, match=r"program ended with code 3.*\n.*the reason"):
        process.check()


async def test_whole_lines_of_the_log_are_given_once(tmp_path: Path) -> None:
    """What was there before the start is not this process's; a line that is being written is left for later."""
    (tmp_path / "log").write_text("older\n")
    process = python(tmp_path, "print('one\\ntwo\\nthr', end='', flush=True); input()")
    assert await process.wait() == 1  # there is no input
    with process.log.open("r+b") as log:
        whole = log.read()
        log.truncate(whole.index(b"thr") + 3)
    assert process.new_lines() == ["one", "two"]
    with process.log.open("ab") as log:
        log.write(b"ee\n")
    assert process.new_lines() == ["three"]
    assert process.new_lines() == []


async def test_stop_is_polite_first(tmp_path: Path) -> None:
    """SIGTERM ends a program that does not object."""
    process = python(tmp_path, "import time; print('up', flush=True); time.sleep(60)")
    await until_up(process)
    process.check()
    assert await process.stop() == -signal.SIGTERM


async def test_stop_kills_after_the_grace(tmp_path: Path) -> None:
    """A program that ignores SIGTERM is killed when its time is over, not before."""
    process = python(tmp_path, STUBBORN)
    await until_up(process)
    began = time.perf_counter()
    assert await process.stop(grace_s=0.2) == -signal.SIGKILL
    assert time.perf_counter() - began >= 0.2


async def test_an_interrupted_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    """When there is no time to wait, the program is killed at once."""
    process = python(tmp_path, STUBBORN)
    await until_up(process)
    stopping = asyncio.create_task(process.stop())
    await asyncio.sleep(0.05)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert await process.wait() == -signal.SIGKILL


async def test_a_ctrl_c_at_the_terminal_does_not_reach_the_child(tmp_path: Path) -> None:
    """It has a session of its own: we decide the order in which things stop."""
    process = python(tmp_path, "import time; print('up', flush=True); time.sleep(60)")
    await until_up(process)
    assert os.getsid(process.pid) != os.getsid(0)
    await process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child's life to its parent's")
async def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Even a SIGKILL of the parent leaves no child."""
    code = (
        "import asyncio, pathlib, sys; from connector.local.process import Process; "
        "child = Process('c', [sys.executable, '-c', 'import time; time.sleep(60)'], log=pathlib.Path('child.log')); "
        "print('up', child.pid, flush=True); asyncio.run(child.wait())"
    )
    parent = python(tmp_path, code)
    await until_up(parent)
    child = int(parent.tail().split()[-1])
    os.kill(child, 0)
    await parent.kill()
    async with asyncio.timeout(5):
        while _alive(child):  # noqa: ASYNC110 (another process has no event)
            await asyncio.sleep(0.01)


def _alive(pid: int) -> bool:
    """Whether the process exists and is no zombie that waits for its new parent."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 (as short as it gets)
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
