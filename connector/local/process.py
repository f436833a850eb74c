"""A child process with its log in a file, stopped politely and never left behind. Shell."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from connector.local.connector_log import readable
from connector.local.errors import ProcessFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_POLL_S = 0.02
_TAIL_BYTES = 64_000
_SHOWN_LINES = 40
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Ask Linux to kill this child when its parent is gone, however it went."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """
    One child process.

    It has a session of its own, so that a Ctrl-C at the terminal reaches only us and
    we decide the order in which things stop. It is bound to no event loop.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._read = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self._child = subprocess.Popen(  # noqa: S603 (the command is ours)
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (one system call, no lock is taken)
            )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """The exit code (negative: the signal), or None while it runs."""
        return self._child.poll()

    def tail(self) -> str:
        """Return the end of its log, in whole lines."""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            begin = max(0, file.tell() - _TAIL_BYTES)
            file.seek(begin)
            if begin:
                file.readline()
            return file.read().decode(errors="replace").strip()

    def new_lines(self) -> list[str]:
        """Return the whole lines that its log has grown by since the last call."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode(errors="replace").splitlines()

    def check(self) -> None:
        """Raise `ProcessFailed` with the tail of the log when the child has ended."""
        if self.returncode is not None:
            end = "\n".join(readable(self.tail()).splitlines()[-_SHOWN_LINES:])
            raise ProcessFailed(f"{self.name} ended with code {self.returncode}; its log {self.log} ends:\n{end}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the child still runs."""
        if self.returncode is None:
            self._child.send_signal(number)

    async def wait(self) -> int:
        """Wait for the end of the child and return its exit code."""
        while (code := self.returncode) is None:  # noqa: ASYNC110 (no event: bound to no loop)
            await asyncio.sleep(_POLL_S)
        return code

    async def stop(self, *, grace_s: float = 10.0) -> int:
        """Send SIGTERM, after `grace_s` seconds SIGKILL; return the exit code."""
        self.signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.wait(), grace_s)
        except TimeoutError:
            return await self.kill()
        except asyncio.CancelledError:
            self.signal(signal.SIGKILL)  # no time left, but nothing stays behind
            raise

    async def kill(self) -> int:
        """Send SIGKILL and reap; return the exit code."""
        self.signal(signal.SIGKILL)
        return await self.wait()
