"""Sends viewers what changed, a few times a second and encoded once for all of them. Shell."""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from streams.board.frames import Teller, encoded, is_quiet
from streams.board.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.board.feeds import Feeds
    from streams.board.metrics import Metrics
    from streams.board.model import Board

PERIOD_S = 0.25
QUIET_S = 1.0
"""When nothing changed; also the heartbeat by which viewers know that the connection lives."""

MOST_VIEWERS = 200


class Hub:
    """The viewers of one board."""

    def __init__(self, board: Board, feeds: Feeds, metrics: Metrics) -> None:
        self.teller = Teller(board)
        self._feeds = feeds
        self._metrics = metrics
        self._viewers: set[Viewer] = set()
        self.ticked = time.monotonic()
        """When the last tick was; a loop that does not turn does not tick."""

    @property
    def full(self) -> bool:
        """Whether there is no room for another viewer."""
        return len(self._viewers) >= MOST_VIEWERS

    @contextmanager
    def watching(self) -> Iterator[Viewer]:
        """Count a viewer in the meantime."""
        viewer = Viewer()
        self._viewers.add(viewer)
        self._metrics.viewers.set(len(self._viewers))
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            self._metrics.viewers.set(len(self._viewers))

    def snapshot(self) -> bytes:
        """Return everything as an event."""
        self._metrics.snapshots.inc()
        return _event("snapshot", encoded(self.teller.everything(now_ms(), self._feeds.rows())))

    async def run(self) -> None:
        """Tell viewers of changes for ever."""
        told = 0.0
        while True:
            await asyncio.sleep(PERIOD_S)
            self.ticked = time.monotonic()
            frame = self.teller.changes(now_ms(), self._feeds.rows())
            if not self._viewers or (is_quiet(frame) and self.ticked - told < QUIET_S):
                continue
            told = self.ticked
            event = _event("changes", encoded(frame))
            for viewer in self._viewers:
                viewer.offer(event)


def _event(kind: str, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), data)


def now_ms() -> int:
    """Return unix milliseconds."""
    return time.time_ns() // 1_000_000
