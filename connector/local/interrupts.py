"""What Ctrl-C and SIGTERM do. Shell."""

from __future__ import annotations

import asyncio
import signal
from typing import Any


class Interrupts:
    """
    While the market plays, the first signal ends the play; any other cancels `task`, once.

    What is cancelled still stops its processes in order.
    """

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.playing = False
        self._stop = asyncio.Event()
        self._task = task
        self._cancelled = False
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._strike)

    def _strike(self) -> None:
        if self.playing:
            self.playing = False
            self._stop.set()
        elif not self._cancelled:
            self._cancelled = True
            self._task.cancel()

    async def play(self, seconds: float | None = None) -> None:
        """Return at the first signal, or after `seconds`."""
        self.playing = True
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self.playing = False
