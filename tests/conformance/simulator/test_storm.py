"""The book against clients that note what they read, under faults of every kind."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import orjson
import pytest
from msgspec.structs import replace
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from connector.simulator import Config, Fault, Simulator
from tests.support.dome_client import Client, until

if TYPE_CHECKING:
    from connector.simulator.faults import Kind

WALLETS = ["0x" + digit * 40 for digit in "abc"]
ORDERS = 400
GIVE_UP = 0.2
"""Seconds of silence after which a client reconnects, as one with a watchdog does."""
KINDS: tuple[Kind, ...] = (
    *("garble", "truncate", "duplicate", "reorder"),
    *("delay_event", "lose_event", "empty_metadata", "no_indexes"),
)
FAULTS = (
    *(Fault(kind=kind, probability=0.03, times=None, delay=0.02, seed=seed) for seed, kind in enumerate(KINDS)),
    Fault(kind="drop", when="event", probability=0.01, times=None, seed=20),
    Fault(kind="drop", when="event", code=1011, probability=0.01, times=None, seed=21),
    Fault(kind="half_open", when="event", probability=0.003, times=None, seed=22),
    Fault(kind="frame", when="event", frame='{"type":"news"}', probability=0.02, times=None, seed=23),
)


class Reader:
    """A client that reconnects for ever and notes each order it can read."""

    def __init__(self, simulator: Simulator) -> None:
        self.read: Counter[int] = Counter()
        self.connections = 0
        self._url = simulator.ws_url()

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            async with connect(self._url, close_timeout=0.1) as socket:
                client = Client(socket)
                await client.subscribe(*WALLETS)
                self.connections += 1
                await self._drain(client)

    async def _drain(self, client: Client) -> None:
        while True:
            try:
                text = await asyncio.wait_for(client.socket.recv(), GIVE_UP)
            except (TimeoutError, ConnectionClosed):
                return
            try:
                frame = orjson.loads(text)
            except orjson.JSONDecodeError:
                continue
            if frame["type"] == "event":
                self.read[int(frame["data"]["tx_hash"])] += 1


@pytest.mark.parametrize("seed", range(3))
async def test_the_book_tells_exactly_what_a_client_could_read(seed: int) -> None:
    """Order by order, copies included; and only a duplicate fault makes a copy."""
    rng = Random(seed)
    faults = tuple(replace(fault, seed=fault.seed + 100 * seed) for fault in FAULTS)
    async with Simulator(Config(faults=faults)) as simulator:
        reader = Reader(simulator)
        task = asyncio.create_task(reader.run())
        await until(lambda: reader.connections)
        for number in range(1, ORDERS + 1):
            await simulator.execute([{"user": rng.choice(WALLETS), "tx_hash": str(number), "title": "t"}])
            if rng.random() < 0.2:
                await asyncio.sleep(rng.random() * 0.01)
        simulator.clear_faults()
        await asyncio.sleep(2 * GIVE_UP)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    deliveries = simulator.book.deliveries
    assert reader.read == Counter(delivery.order for delivery in deliveries if delivery.reached)
    assert reader.connections > 2
    assert {fault for delivery in deliveries if (fault := delivery.fault)} >= {"garble", "drop", "duplicate", "reorder"}
    copies = Counter((delivery.order, delivery.subscription) for delivery in deliveries if delivery.reached)
    doubled = {(d.order, d.subscription) for d in deliveries if d.fault == "duplicate"}
    assert {pair for pair, number in copies.items() if number > 1} <= doubled
