"""The protocol over a real socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from connector.simulator import Config, Simulator, Switches
from tests.support.dome_client import dial, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

A, B = "0x" + "a" * 40, "0x" + "b" * 40
SUBSCRIBE_ALL = b'{"action":"subscribe","platform":"polymarket","version":1,"type":"orders","filters":{"users":["*"]}}'


def orders(user: str, *hashes: str) -> list[dict[str, Any]]:
    """Return orders of the wallet with these transaction hashes."""
    return [{"user": user, "tx_hash": tx_hash, "block_number": 1, "log_index": 2} for tx_hash in hashes]


async def test_events_follow_the_ack_and_carry_the_order() -> None:
    """What arrives is the executed row, in the documented envelope, with nothing from before the ack."""
    async with Simulator() as simulator, dial(simulator) as client:
        await simulator.execute(orders(A, "early"))
        subscription = await client.subscribe(A.upper().replace("X", "x"))
        (executed,) = await simulator.execute(orders(A, "seen"))
        await simulator.execute(orders(B, "other wallet"))
        assert await client.receive() == {
            "type": "event",
            "subscription_id": subscription,
            "data": executed.row,
        }
        assert await client.silence()
        assert [order.seq for order in simulator.book.reached()] == [2]


async def test_each_matching_subscription_gets_the_event() -> None:
    """Ids differ, so does the envelope; the book has a delivery for each."""
    async with Simulator() as simulator, dial(simulator) as client:
        ids = {await client.subscribe(A), await client.subscribe("*")}
        await simulator.execute(orders(A, "1"))
        assert {(await client.receive())["subscription_id"] for _ in range(2)} == ids
        assert {delivery.subscription for delivery in simulator.book.deliveries} == ids


async def test_update_and_unsubscribe_take_effect_at_once() -> None:
    """The update is acknowledged with the same id, the unsubscribe with silence."""
    async with Simulator() as simulator, dial(simulator) as client:
        subscription = await client.subscribe(A)
        await client.ask("update", subscription_id=subscription, filters={"users": [B]})
        assert await client.receive() == {"type": "ack", "subscription_id": subscription}
        await simulator.execute(orders(A, "no longer") + orders(B, "now"))
        assert await client.hashes(1) == ["now"]
        await client.ask("unsubscribe", subscription_id=subscription)
        await client.ask("unsubscribe", subscription_id=subscription)
        assert (await client.receive())["code"] == "SUBSCRIPTION_NOT_FOUND"
        await simulator.execute(orders(B, "too late"))
        assert await client.silence()


async def test_a_refused_request_leaves_the_socket_usable() -> None:
    """An error frame, and life goes on."""
    async with Simulator() as simulator, dial(simulator, "free-key") as client:
        await client.socket.send("{nonsense")
        assert (await client.receive())["code"] == "PARSE_ERROR"
        await client.ask("subscribe", filters={"users": ["*"]})
        assert (await client.receive())["code"] == "WILDCARD_NOT_ALLOWED"
        await client.subscribe(A)


async def test_switches_change_acks_and_greeting() -> None:
    """No ack for an update, one for an unsubscribe, a greeting, and bare events."""
    switches = Switches(ack_update=False, ack_unsubscribe=True, greeting='{"type":"hello"}', socket_indexes=False)
    async with Simulator(Config(switches=switches)) as simulator, dial(simulator) as client:
        assert await client.receive() == {"type": "hello"}
        subscription = await client.subscribe(A)
        await client.ask("update", subscription_id=subscription, filters={"users": [B]})
        await client.ask("unsubscribe", subscription_id=subscription)
        assert await client.receive() == {"type": "ack", "subscription_id": subscription}
        await client.subscribe(A)
        await simulator.execute(orders(A, "1"))
        assert "log_index" not in (await client.receive())["data"]


async def test_a_bad_key_is_refused_in_the_handshake() -> None:
    """With the status of the switch; a plain request is told what is served here."""
    async with Simulator() as simulator:
        with pytest.raises(InvalidStatus) as caught:
            await connect(simulator.ws_url("bad-key"))
        assert caught.value.response.status_code == 401
        async with ClientSession() as http, http.get(f"{simulator.rest_url}/dev-key") as response:
            assert response.status == 426


async def test_the_server_closes_with_1001_when_it_stops() -> None:
    """As a restart of the provider does."""
    async with Simulator() as simulator:
        socket = await connect(simulator.ws_url())
    with pytest.raises(ConnectionClosed) as caught:
        await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001


async def test_pings_are_answered_both_ways() -> None:
    """The server answers ours, and cuts only a peer that answers none of its own."""
    switches = Switches(ping_interval=0.05)
    async with Simulator(Config(switches=switches)) as simulator, dial(simulator) as client:
        await asyncio.wait_for(await client.socket.ping(), 1)
        await asyncio.sleep(0.3)
        await client.subscribe(A)
        client.socket.protocol.receive_data = lambda _: None  # type: ignore[method-assign, assignment] # deaf from here on
        await until(lambda: simulator.connections == [])


async def test_a_slow_consumer_is_cut_and_the_book_says_so() -> None:
    """A peer that does not read is cut at the bound; what it had not got is in the book as not reached."""
    config = Config(switches=Switches(buffer_bytes=100_000))
    async with Simulator(config) as simulator, deaf_subscriber(simulator.port):
        row = {"user": A, "title": "x" * 50_000}
        while simulator.connections:
            simulator._engine.execute([row])
            await asyncio.sleep(0)
        faults = [delivery.fault for delivery in simulator.book.deliveries]
        reached = [delivery.order for delivery in simulator.book.deliveries if delivery.reached]
        assert faults[-1] == "slow_consumer"
        assert reached == list(range(1, len(reached) + 1)), "a prefix reached the socket"
        assert len({delivery.order for delivery in simulator.book.deliveries}) == len(faults), "each accounted for once"


async def test_everything_sent_in_a_storm_is_in_the_book() -> None:
    """A thousand orders to three sockets: what each client read is what the book says it got."""
    async with Simulator() as simulator, dial(simulator) as one, dial(simulator) as two, dial(simulator) as three:
        clients = (one, two, three)
        for client in clients:
            await client.subscribe(A)
        await simulator.execute(orders(A, *map(str, range(1_000))))
        for number, client in enumerate(clients, start=1):
            told = [d.order for d in simulator.book.deliveries if d.connection == number and d.reached]
            assert [int(tx_hash) + 1 for tx_hash in await client.hashes(1_000)] == told


@asynccontextmanager
async def deaf_subscriber(port: int) -> AsyncIterator[None]:
    """Subscribe to everything on a raw socket, and read nothing after the ack began."""
    frame = bytes([0x81, 0x80 | len(SUBSCRIBE_ALL)]) + bytes(4) + SUBSCRIBE_ALL  # masked with zeros
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
    try:
        writer.write(
            b"GET /dev-key HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame)
        await reader.readexactly(2)
        yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
