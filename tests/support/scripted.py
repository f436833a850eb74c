"""A provider whose every move is scripted, and those who listen to what it brings: for tests in virtual time."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connector.websocket import Disconnected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from connector.commands import Bury, Deliver
    from connector.contract.gap import Cause

END = object()


def now() -> float:
    """Return the virtual time, in seconds from the test's start."""
    return asyncio.get_running_loop().time()


class FakeSocket:
    """A connection as the feed sees it. The server side calls `arrive` and `cut`."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.sent: list[dict[str, Any]] = []
        self.incoming: asyncio.Queue[object] = asyncio.Queue()
        self.ended = False
        self.date: str | None = "Sun, 01 Nov 2026 00:00:00 GMT"

    def arrive(self, frame: object) -> None:
        """Let a frame come from the server."""
        self.incoming.put_nowait(frame if isinstance(frame, bytes) else json.dumps(frame).encode())

    def cut(self) -> None:
        """End the connection, after what has arrived."""
        self.ended = True
        self.incoming.put_nowait(END)

    async def recv(self) -> bytes:
        """Return the next frame."""
        frame = await self.incoming.get()
        if frame is END:
            self.incoming.put_nowait(END)
            raise Disconnected("cut")
        assert isinstance(frame, bytes)
        return frame

    async def send(self, frame: str) -> None:
        """Note a request, and acknowledge it unless told otherwise."""
        if self.ended:
            raise Disconnected("cut")
        self.sent.append(request := json.loads(frame))
        if self.provider.acks:
            self.arrive({"type": "ack", "subscription_id": request.get("subscription_id", f"sub_{len(self.sent)}")})

    async def ping(self) -> Awaitable[float]:
        """Answer after 50 ms unless told otherwise."""
        pong: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if self.provider.pongs:
            asyncio.get_running_loop().call_later(0.05, pong.set_result, 0.05)
        return pong

    async def close(self) -> None:
        """End the connection from our side."""
        self.cut()


class Provider:
    """Makes connections; `script` says what the server does on each."""

    def __init__(self, script: Callable[[FakeSocket], Awaitable[None]] | None = None) -> None:
        self.script = script
        self.acks = True
        self.pongs = True
        self.refusal: Exception | None = None
        """Raised by every handshake from now on."""
        self.spell = 0.0
        self.opened_at: list[float] = []
        self.sockets: list[FakeSocket] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeSocket]:
        """Accept a connection."""
        self.opened_at.append(round(now(), 3))
        if self.refusal is not None:
            raise self.refusal
        self.sockets.append(socket := FakeSocket(self))
        server = asyncio.ensure_future(self.script(socket)) if self.script else None
        yield socket
        if server is not None:
            await server


class Listener:
    """
    Keeps what a feed tells, as its receiver and its observer. Orders wait while `open` is not set.

    An order is new if its data is.
    """

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.letters: list[tuple[str, Sequence[str]]] = []
        self.news: list[tuple[Any, ...]] = []
        self.proofs: list[tuple[float, int]] = []
        """Times up to which everything was handed over, and the number of deliveries by then."""
        self.dates: list[tuple[str, float]] = []
        self.in_force: dict[str, set[str]] = {}
        self.deliveries = 0
        self.open = asyncio.Event()
        self.open.set()

    async def order(self, delivery: Deliver) -> bool:
        """Keep an order."""
        await self.open.wait()
        self.deliveries += 1
        if delivery.data in self.orders:
            return False
        self.orders.append(delivery.data)
        return True

    async def dead(self, letter: Bury, wallets: Sequence[str]) -> None:
        """Keep a dead letter's reason."""
        self.letters.append((letter.reason, wallets))

    def live(self, socket: str, wallets: Sequence[str], subscription_id: str) -> None:
        """Demand that they were not live."""
        live = self.in_force.setdefault(socket, set())
        assert not live.intersection(wallets)
        live.update(wallets)
        self.news.append(("live", socket, *wallets, round(now(), 3)))

    def lost(self, socket: str, wallets: Sequence[str], proven_at: float, cause: Cause) -> None:
        """Demand that they were live."""
        assert self.in_force[socket].issuperset(wallets)
        assert proven_at <= now()
        self.in_force[socket].difference_update(wallets)
        self.news.append(("lost", socket, *wallets, cause, round(proven_at, 3), round(now(), 3)))

    def stalled(self, socket: str, wallets: Sequence[str], since: float) -> None:
        """Keep the interval."""
        self.news.append(("stalled", socket, *wallets, round(since, 3), round(now(), 3)))

    def proven(self, socket: str, at: float) -> None:
        """Keep the time."""
        assert at <= now()
        self.proofs.append((round(at, 3), self.deliveries))

    def refused(self, socket: str, wallets: Sequence[str], code: str, message: str) -> None:
        """Keep the code."""
        self.news.append(("refused", socket, *wallets, code, message))

    def provider_date(self, date: str, at: float) -> None:
        """Keep the date."""
        self.dates.append((date, round(at, 3)))
