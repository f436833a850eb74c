"""What is to be said on a socket, in its order. Shell."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from connector.commands import Drop, Ping, Send
from connector.websocket import Disconnected

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.websocket import Socket


class Outbox:
    """
    Keeps commands until somebody has the time to carry them out.

    Args:
        ponged: Called for each pong.
    """

    def __init__(self, ponged: Callable[[], None]) -> None:
        self.dropped: str | None = None
        """Why we closed the connection, if we did."""
        self._ponged = ponged
        self._commands: deque[Send | Ping | Drop] = deque()
        self._flushing = False

    def __len__(self) -> int:
        return len(self._commands)

    def add(self, command: Send | Ping | Drop) -> None:
        """Keep a command."""
        self._commands.append(command)

    def clear(self) -> None:
        """Forget what belonged to an earlier connection."""
        self._commands.clear()
        self.dropped = None

    async def flush(self, socket: Socket, tasks: asyncio.TaskGroup) -> None:
        """Carry out what there is; if somebody is at it already, he will do it all."""
        if self._flushing:
            return
        self._flushing = True
        try:
            while self._commands:
                # A connection that is gone is the reader's to notice, after what it had brought.
                with suppress(Disconnected):
                    await self._carry_out(self._commands.popleft(), socket, tasks)
        finally:
            self._flushing = False

    async def _carry_out(self, command: Send | Ping | Drop, socket: Socket, tasks: asyncio.TaskGroup) -> None:
        if isinstance(command, Send):
            await socket.send(command.frame)
        elif isinstance(command, Ping):
            asyncio.ensure_future(await socket.ping()).add_done_callback(self._answered)
        else:
            self.dropped = command.reason
            # Not awaited here: closing needs the reader to go on.
            tasks.create_task(socket.close())

    def _answered(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self._ponged()
