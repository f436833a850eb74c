"""A client and the simulator that it talks to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from connector.simulator import Simulator
from tests.support.dome_client import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from connector.dialects import Dialect
    from connector.simulator import Config
    from tests.support.subscribers import Subscriber

_QUIET = 0.05
"""Seconds in which an order that should not come would come."""


class Conversation:
    """A subscriber and the simulator that it talks to, with patience."""

    def __init__(self, simulator: Simulator, subscriber: Subscriber) -> None:
        self.simulator = simulator
        self.subscriber = subscriber

    @property
    def subscriptions(self) -> int:
        """How many the simulator has."""
        count: int = self.simulator._engine.stats()["subscriptions"]
        return count

    async def watch(self, **wallets: Sequence[str]) -> None:
        """Replace wallets, and wait until both sides agree."""
        left = self.subscriptions - sum(not wanted for wanted in wallets.values())
        await self.subscriber.watch(**wallets)
        await self.live(*(wallet for wanted in wallets.values() for wallet in wanted))
        if not all(wallets.values()):
            await until(lambda: self.subscriptions == left)

    async def live(self, *wallets: str) -> None:
        """Wait until the subscriber knows that these are delivered."""
        await until(lambda: self.subscriber.watching().issuperset(wallets))

    async def arrived(self, *hashes: str) -> bool:
        """Wait for these orders, and tell whether exactly they came since the last call, in this order."""
        received = self.subscriber.received
        with suppress(TimeoutError):
            await until(lambda: len(received) >= len(hashes))
        await asyncio.sleep(_QUIET)
        came = [data["tx_hash"] for _, data in received]
        received.clear()
        return came == list(hashes)


@asynccontextmanager
async def conversation(
    config: Config, dialect: Dialect, make: Callable[[Simulator, Dialect], Subscriber]
) -> AsyncIterator[Conversation]:
    """Let a subscriber talk to a simulator."""
    async with Simulator(config) as simulator:
        subscriber = make(simulator, dialect)
        running = asyncio.create_task(subscriber.run())
        try:
            yield Conversation(simulator, subscriber)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
