"""A client of Dome's protocol, as plain as it can be."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson
from websockets.asyncio.client import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from websockets.asyncio.client import ClientConnection

    from connector.simulator import Simulator

PATIENCE = 5.0
"""Seconds after which a frame that should come is missing."""


class Client:
    """One socket, speaking JSON."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def ask(self, action: str, **more: Any) -> None:
        """Send a request."""
        frame = {"action": action, "platform": "polymarket", "version": 1, "type": "orders"}
        await self.socket.send(orjson.dumps(frame | more).decode())

    async def receive(self) -> dict[str, Any]:
        """Return the next frame, decoded."""
        decoded: dict[str, Any] = orjson.loads(await self.receive_text())
        return decoded

    async def receive_text(self) -> str | bytes:
        """Return the next frame as it came."""
        return await asyncio.wait_for(self.socket.recv(), PATIENCE)

    async def subscribe(self, *users: str) -> str:
        """Subscribe to wallets and return the id from the ack, which is the next frame."""
        await self.ask("subscribe", filters={"users": list(users)})
        ack = await self.receive()
        assert ack["type"] == "ack", ack
        subscription: str = ack["subscription_id"]
        return subscription

    async def hashes(self, number: int) -> list[str]:
        """Return the transaction hashes of the next events."""
        return [(await self.receive())["data"]["tx_hash"] for _ in range(number)]

    async def silence(self, seconds: float = 0.1) -> bool:
        """Tell whether nothing comes for a while."""
        try:
            await asyncio.wait_for(self.socket.recv(), seconds)
        except TimeoutError:
            return True
        return False


@asynccontextmanager
async def dial(simulator: Simulator, key: str = "dev-key") -> AsyncIterator[Client]:
    """Open a socket; a greeting is read."""
    async with connect(simulator.ws_url(key)) as socket:
        client = Client(socket)
        if simulator.config.dialect == "predexon":
            assert (await client.receive())["type"] == "connected"
        yield client


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds, or fail after a while."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the condition belongs to others, who signal nothing
            await asyncio.sleep(0.005)
