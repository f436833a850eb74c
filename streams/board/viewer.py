"""One viewer's mailbox: a few frames, or the order for a snapshot. Pure but for the event that wakes its writer."""

from __future__ import annotations

import asyncio
from collections import deque

MOST_FRAMES = 8
"""Two seconds of frames; who is behind by more is better served by everything anew."""


class Viewer:
    """What is owed to one viewer, in bounded memory: frames are shared by all viewers, and never more than a few."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._behind = True
        self._news.set()

    def offer(self, frame: bytes) -> None:
        """Put a frame into the mailbox; one that is full is emptied, and a snapshot owed instead."""
        if self._behind:
            return
        self._frames.append(frame)
        if len(self._frames) > MOST_FRAMES:
            self._frames.clear()
            self._behind = True
        self._news.set()

    async def next(self) -> bytes | None:
        """Return the next frame; None: a snapshot, which includes every frame offered until now, is due."""
        await self._news.wait()
        if self._behind:
            self._behind = False
            self._news.clear()
            return None
        frame = self._frames.popleft()
        if not self._frames:
            self._news.clear()
        return frame
