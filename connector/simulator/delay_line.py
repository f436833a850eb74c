"""Shell: events held back one by one, in order, as a slow path to one client would."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.connection import Outgoing


class DelayLine:
    """
    Passes frames on to `put`, at once until it is slowed.

    A frame never overtakes another: each is due `delay` seconds after it came, plus an exponentially distributed
    time of mean `jitter` seconds, but not before the one ahead of it.
    """

    def __init__(self, put: Callable[[Outgoing], None]) -> None:
        self._put = put
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[float, Outgoing]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._delay = self._jitter = 0.0
        self._draw: Callable[[], float] | None = None

    @property
    def holding(self) -> bool:
        """Whether a frame is still to come."""
        return bool(self._queue)

    def slow(self, *, delay: float, jitter: float, draw: Callable[[], float]) -> None:
        """Delay what is pushed from now on; `draw` returns numbers in [0, 1)."""
        self._delay, self._jitter, self._draw = delay, jitter, draw

    def push(self, item: Outgoing) -> None:
        """Take a frame."""
        if self._draw is None:
            self._put(item)
            return
        due = self._loop.time() + self._delay - self._jitter * math.log(1.0 - self._draw())
        if self._queue:
            due = max(due, self._queue[-1][0])
        self._queue.append((due, replace(item, fault=item.fault or "slow_connection")))
        if self._timer is None:
            self._wait()

    def flush(self) -> None:
        """Pass on at once what is held."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queue:
            self._put(self._queue.popleft()[1])

    def _wait(self) -> None:
        self._timer = self._loop.call_at(self._queue[0][0], self._release) if self._queue else None

    def _release(self) -> None:
        now = self._loop.time()
        while self._queue and self._queue[0][0] <= now:
            self._put(self._queue.popleft()[1])
        self._wait()
