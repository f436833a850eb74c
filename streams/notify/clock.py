"""The notifier's clock: unix time that no correction of the machine's clock moves. Shell."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Unix time as it was at the beginning, and what has passed since."""

    def __init__(self) -> None:
        self._monotonic = asyncio.get_running_loop().time
        self._apart = time.time_ns() / 1e9 - self._monotonic()

    def now_s(self) -> float:
        """Return unix seconds."""
        return self._monotonic() + self._apart

    def now_ms(self) -> int:
        """Return unix milliseconds."""
        return round(self.now_s() * 1_000)
