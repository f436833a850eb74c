"""The two kinds of client that a dialect must suit: one that makes the official SDKs' steps, and our own feed."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from connector.backoff import Backoff
from connector.feed import Feed
from connector.process.mask import Mask
from connector.session import Limits, Session
from connector.websocket import open_socket
from tests.support.dome_client import PATIENCE, Client, until
from tests.support.scripted import Listener

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.commands import Deliver
    from connector.dialects import Dialect
    from connector.simulator import Simulator

_SILENCE = 0.3
"""Seconds without a sign of life after which either client gives a connection up."""
_RETRY = 0.05
"""Seconds until either connects again."""
_SOCKET = "primary-0"


class Subscriber(Protocol):
    """A client that keeps its subscriptions over reconnects. Their names are ours; no wallets end one."""

    received: list[tuple[str, dict[str, Any]]]
    """Subscription id and data of every order, as they came."""

    @property
    def connections(self) -> int:
        """How many there were."""

    @property
    def refusals(self) -> list[str]:
        """Codes."""

    async def run(self) -> None:
        """Connect, again and again."""

    async def watch(self, **wallets: Sequence[str]) -> None:
        """Replace the wallets of some subscriptions, all at once; return when that was asked for."""

    def wallets(self, subscription_id: str) -> set[str]:
        """Return what a subscription of the present connection delivers, as far as the client knows."""

    def watching(self) -> set[str]:
        """Return the wallets of all subscriptions that were acknowledged on the present connection."""


class SdkSteps:
    """
    Asks, waits, connects again and asks again as the official SDKs do.

    Like them it takes an ack for the oldest request that waits for one, and skips what it does not know. Unlike
    them it connects again after every close, and copes with acks that come together.
    """

    def __init__(self, simulator: Simulator, dialect: Dialect) -> None:
        self.connections = 0
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.refusals: list[str] = []
        self._simulator = simulator
        self._dialect = dialect
        self._client: Client | None = None
        self._wanted: dict[str, Sequence[str]] = {}
        self._ids: dict[str, str] = {}
        self._pending: deque[tuple[str, Sequence[str]]] = deque()
        self._in_force: dict[str, Sequence[str]] = {}

    async def watch(self, **wallets: Sequence[str]) -> None:
        """See `Subscriber`."""
        await until(lambda: self._client is not None)
        for name, wanted in wallets.items():
            if wanted:
                self._wanted[name] = wanted
                await self._ask(name, wanted)
            else:
                subscription = self._ids.pop(name)
                del self._wanted[name], self._in_force[subscription]
                assert self._client is not None
                await self._client.ask("unsubscribe", subscription_id=subscription)

    def wallets(self, subscription_id: str) -> set[str]:
        """See `Subscriber`."""
        return set(self._in_force[subscription_id])

    def watching(self) -> set[str]:
        """See `Subscriber`."""
        return {wallet for wallets in self._in_force.values() for wallet in wallets}

    async def run(self) -> None:
        """Connect, again and again."""
        while True:
            with suppress(ConnectionClosed):
                await self._connection()
            self._client = None
            await asyncio.sleep(_RETRY)

    async def _connection(self) -> None:
        url = self._simulator.ws_url()
        async with connect(url, ping_interval=_SILENCE / 3, ping_timeout=_SILENCE, close_timeout=_SILENCE) as socket:
            self.connections += 1
            self._client = client = Client(socket)
            for old in (self._ids, self._in_force, self._pending):
                old.clear()
            for name, wanted in self._wanted.items():
                await self._ask(name, wanted)
            while True:
                self._take(json.loads(await client.socket.recv()))

    async def _ask(self, name: str, wanted: Sequence[str]) -> None:
        assert self._client is not None
        self._pending.append((name, wanted))
        filters = {"users": list(wanted)}
        if name in self._ids:
            await self._client.ask("update", subscription_id=self._ids[name], filters=filters)
        else:
            await self._client.ask("subscribe", filters=filters)

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "ack" and self._pending:
            name, wallets = self._pending.popleft()
            self._ids[name] = frame["subscription_id"]
            self._in_force[self._ids[name]] = wallets
        elif frame["type"] == "error":
            self.refusals.append(frame["code"])
            name, _ = self._pending.popleft()
            if name not in self._ids:
                del self._wanted[name]
        elif frame["type"] == "event":
            data = self._dialect.order_data(frame["data"])
            if data is not None:
                self.received.append((frame["subscription_id"], data))


class OurFeed(Listener):
    """The connector's own feed and session, which it also listens to."""

    def __init__(self, simulator: Simulator, dialect: Dialect) -> None:
        super().__init__()
        self.received: list[tuple[str, dict[str, Any]]] = []
        limits = Limits(ping_interval=_SILENCE / 3, idle_timeout=_SILENCE, retry_busy=0.1)
        self.session = Session(dialect, limits, provider=dialect.name, name=_SOCKET)
        url, fatal = simulator.ws_url(), dialect.fatal_close_codes
        self._feed = Feed(
            name=_SOCKET,
            session=self.session,
            receiver=self,
            observer=self,
            open_socket=lambda: open_socket(url, connect_timeout=PATIENCE, fatal_close_codes=fatal),
            backoff=Backoff(base=_RETRY, cap=_RETRY, random=lambda: 1.0),
            healthy_spell=60.0,
            mask=Mask(["dev-key"]),
        )

    @property
    def connections(self) -> int:
        """See `Subscriber`."""
        return self.session.connection

    @property
    def refusals(self) -> list[str]:
        """See `Subscriber`."""
        return [news[-2] for news in self.news if news[0] == "refused"]

    async def order(self, delivery: Deliver) -> bool:
        """Keep an order, new or not."""
        self.received.append((delivery.channel[2], delivery.data))
        return await super().order(delivery)

    async def watch(self, **wallets: Sequence[str]) -> None:
        """See `Subscriber`."""
        self._feed.want({name: tuple(wanted) for name, wanted in wallets.items()})

    def wallets(self, subscription_id: str) -> set[str]:
        """See `Subscriber`."""
        return set(self.session.in_force(subscription_id))

    def watching(self) -> set[str]:
        """See `Subscriber`."""
        return self.in_force.get(_SOCKET, set())

    async def run(self) -> None:
        """Run the feed."""
        await self._feed.run()
