"""Shell: one socket. A bounded queue of frames, a writer, and the book-keeping of what became of each."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
from aiohttp import ClientConnectionError, WSMsgType

from connector.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from connector.simulator.book import Book

_FRAMES_PER_TURN = 64
_CLOSE_SECONDS = 2.0


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A frame to send; `order` is 0 for what is no event."""

    frame: bytes = b""
    order: int = 0
    subscription: str = ""
    fault: str | None = None
    intact: bool = True
    """Whether the receiver can read the order from it."""
    cut: Fault | None = None
    """Instead of a frame: a `drop` or `half_open` that takes effect after what was queued before it."""


class Connection:
    """
    One open socket.

    The transport's buffer is kept empty (`writer_limit` 0, high-water mark 0): a frame counts as delivered once
    the operating system has taken all of it, and what a cut connection still held here counts as not delivered.
    """

    def __init__(
        self,
        number: int,
        ws: web.WebSocketResponse,
        transport: asyncio.Transport,
        *,
        book: Book,
        clock_ns: Callable[[], int],
        buffer_bytes: int,
        drop_bytes: int | None = None,
    ) -> None:
        self.number = number
        self.ended_by: str | None = None
        """Why the server cut it; None while open and when the client left."""
        self.silent = False
        self.unanswered_pings = 0
        self._ws = ws
        self._transport = transport
        self._book = book
        self._clock_ns = clock_ns
        self._buffer_bytes = buffer_bytes
        self._drop_bytes = drop_bytes
        self._outbox: deque[Outgoing] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self.settled = asyncio.Event()
        """Set while nothing waits to be sent and all that was sent is in the book."""
        self.settled.set()
        self._closed = False
        transport.set_write_buffer_limits(high=0)

    @property
    def open(self) -> bool:
        """Whether frames can still reach the peer, as far as we know."""
        return not self._closed and not self._transport.is_closing()

    def enqueue(self, item: Outgoing) -> None:
        """Queue a frame; beyond one bound an event is dropped, beyond the other the connection is cut."""
        if self._closed:
            self._give_up(item)
            return
        if item.order and self._drop_bytes is not None and self._queued_bytes > self._drop_bytes:
            self._enter(item, reached=False, fault="dropped")
            return
        self.settled.clear()
        self._outbox.append(item)
        self._queued_bytes += len(item.frame)
        self._wake.set()
        if self._queued_bytes > self._buffer_bytes:
            self.abort("slow_consumer")

    def lose(self, item: Outgoing) -> None:
        """Enter an event that is not sent at all."""
        self._give_up(item)

    def abort(self, reason: str) -> None:
        """Cut the TCP connection at once; what is queued is not delivered."""
        self.ended_by = self.ended_by or reason
        self._transport.abort()
        self.finish()

    def cut_now(self, fault: Fault) -> None:
        """Let a `drop` or `half_open` take effect before what is queued."""
        if not self._closed:
            self._outbox.appendleft(Outgoing(cut=fault))
            self._wake.set()

    async def close(self, code: int, reason: str) -> None:
        """Close in good form, waiting briefly for the peer."""
        self.ended_by = self.ended_by or reason
        self.finish()
        with suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(self._ws.close(code=code), _CLOSE_SECONDS)
        self._transport.abort()

    def close_soon(self, code: int, reason: str) -> None:
        """Close in good form, after what is queued."""
        if not self._closed:
            self.ended_by = self.ended_by or reason
            self.enqueue(Outgoing(cut=Fault(kind="drop", code=code)))

    def finish(self) -> None:
        """Take no more frames, and enter what is queued as not delivered."""
        self._closed = True
        while self._outbox:
            self._give_up(self._outbox.popleft())
        self._queued_bytes = 0
        self._wake.set()

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        try:
            while not self._closed:
                if not self._outbox:
                    self.settled.set()
                    self._wake.clear()
                    await self._wake.wait()
                await self._write_some()
                await asyncio.sleep(0)
        finally:
            self.settled.set()

    async def ping(self) -> None:
        """Send a ping, or cut a peer that answered none of the last two."""
        if self.unanswered_pings >= 2:
            self.abort("ping_timeout")
        elif not self.silent and not self._closed:
            self.unanswered_pings += 1
            with suppress(ConnectionError):
                await self._ws.ping()

    async def _write_some(self) -> None:
        for _ in range(min(len(self._outbox), _FRAMES_PER_TURN)):
            if self._outbox:  # a cut empties it
                item = self._outbox.popleft()
                self._queued_bytes -= len(item.frame)
                await self._put(item)

    async def _put(self, item: Outgoing) -> None:
        if item.cut is not None:
            await self._cut(item.cut)
        elif self.silent:
            self._enter(item, reached=False, fault="half_open")
        else:
            try:
                await self._ws.send_frame(item.frame, WSMsgType.TEXT)
            except (ConnectionError, ClientConnectionError):
                self._give_up(item)
                self.finish()
            except asyncio.CancelledError:
                self._give_up(item)
                raise
            else:
                if self.open:
                    self._enter(item, reached=item.intact, fault=item.fault)
                else:
                    self._give_up(item)

    async def _cut(self, fault: Fault) -> None:
        if fault.kind == "half_open":
            self.silent = True
            if fault.seconds:
                asyncio.get_running_loop().call_later(fault.seconds, self.abort, "half_open")
        elif fault.code is None:
            self.abort("drop")
        else:
            await self.close(fault.code, "drop")

    def _give_up(self, item: Outgoing) -> None:
        self._enter(item, reached=False, fault=item.fault or self.ended_by or "disconnected")

    def _enter(self, item: Outgoing, *, reached: bool, fault: str | None) -> None:
        if item.order:
            self._book.delivered(
                item.order,
                connection=self.number,
                subscription=item.subscription,
                at_ns=self._clock_ns(),
                reached=reached,
                fault=fault,
            )
