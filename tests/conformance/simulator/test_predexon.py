"""What only Predexon does, over real sockets and HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from connector.simulator import Config, Simulator, Switches
from tests.support.dome_client import Client, dial, until

A = "0x" + "a" * 40


def predexon(**switches: Any) -> Config:
    """Return a simulator's configuration."""
    return Config(dialect="predexon", switches=Switches(**switches))


async def test_both_dialects_are_served_from_one_book() -> None:
    """A socket of each sees the same order, each in its own words, whatever the configured dialect."""
    async with Simulator() as simulator, dial(simulator) as dome:
        url = simulator.ws_url().replace("/dev-key", "/v1/dev-key")
        async with connect(url) as socket, ClientSession(headers={"x-api-key": "dev-key"}) as http:
            other = Client(socket)
            assert (await other.receive())["type"] == "connected"
            await other.subscribe(A)
            await dome.subscribe(A)
            await simulator.execute([{"user": A, "tx_hash": "1", "log_index": 31, "shares": 5_000_000}])
            assert (await dome.receive())["data"]["log_index"] == 31
            assert (await other.receive())["data"]["log_index"] == "0x1f"
            async with http.get(f"{simulator.rest_url}/v2/polymarket/trades", params={"wallet": A}) as response:
                assert [row["shares"] for row in (await response.json())["trades"]] == [5.0]


@pytest.mark.parametrize(("key", "status"), [("bad-key", 401), ("free-key", 403)])
async def test_handshakes_refused_for_good(key: str, status: int) -> None:
    """An unknown key, and a plan without sockets."""
    async with Simulator(predexon()) as simulator:
        with pytest.raises(InvalidStatus) as caught:
            await connect(simulator.ws_url(key))
        assert caught.value.response.status_code == status


async def test_one_connection_too_many_is_answered_429() -> None:
    """Of the same key; when one ends, there is room again."""
    async with Simulator(predexon(key_connections=1)) as simulator:
        async with dial(simulator), dial(simulator, "other"):
            with pytest.raises(InvalidStatus) as caught:
                await connect(simulator.ws_url())
            assert caught.value.response.status_code == 429
        await until(lambda: not simulator.connections)
        async with dial(simulator) as client:
            await client.subscribe(A)


async def test_a_connection_without_subscriptions_is_closed_with_4000() -> None:
    """
    From the start, or from its last unsubscribe on; not while it has one.

    seconds  0        0.2         0.5            0.7
             open     subscribe   unsubscribe    4000
    """
    async with Simulator(predexon(idle_close=0.3)) as simulator, dial(simulator) as client:
        await asyncio.sleep(0.15)
        subscription = await client.subscribe(A)
        await asyncio.sleep(0.4)
        await client.ask("unsubscribe", subscription_id=subscription)
        assert (await client.receive())["type"] == "ack"
        with pytest.raises(ConnectionClosed) as caught:
            await client.receive()
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 4000


async def test_pending_events_and_refunds_are_not_deliveries() -> None:
    """Three frames for one order, of which the book counts the confirmed one."""
    async with Simulator(predexon(pending=True, fee_refunds=True)) as simulator, dial(simulator) as client:
        await client.subscribe(A)
        await simulator.execute([{"user": A, "tx_hash": "1", "log_index": 1}])
        events = [(await client.receive())["data"] for _ in range(3)]
        kinds = [(event["event_type"], event["status"]) for event in events]
        assert kinds == [("order_filled", "pending"), ("order_filled", "confirmed"), ("fee_refund", "confirmed")]
        assert [delivery.reached for delivery in simulator.book.deliveries] == [True]


async def test_a_subscription_gets_the_status_it_asks_for() -> None:
    """Pending alone brings no confirmed event, and no delivery."""
    async with Simulator(predexon()) as simulator, dial(simulator, "pro-key") as client:
        await client.ask("subscribe", filters={"users": [A], "status": "pending"})
        await client.receive()
        await simulator.execute([{"user": A, "tx_hash": "1"}])
        assert (await client.receive())["data"]["status"] == "pending"
        assert await client.silence()
        assert simulator.book.deliveries == []


async def test_a_slow_consumers_events_are_dropped_before_it_is_cut() -> None:
    """Beyond the first bound orders are missing in the middle, and the connection lives on."""
    async with Simulator(predexon(drop_bytes=50_000)) as simulator, dial(simulator) as client:
        await client.subscribe(A)
        simulator._engine.execute([{"user": A, "tx_hash": str(number), "title": "x" * 20_000} for number in range(9)])
        await simulator.settled()
        faults = [(delivery.order, delivery.fault) for delivery in simulator.book.deliveries]
        dropped = [order for order, fault in faults if fault == "dropped"]
        assert dropped == [4, 5, 6, 7, 8, 9]
        await simulator.execute([{"user": A, "tx_hash": "after"}])
        assert await client.hashes(4) == ["0", "1", "2", "after"]
