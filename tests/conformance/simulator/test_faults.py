"""Faults as a client meets them, and as the book tells them."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from connector.simulator import Config, Fault, Simulator
from tests.support.dome_client import dial, until

A = "0x" + "a" * 40


def orders(*hashes: str) -> list[dict[str, Any]]:
    """Return orders of wallet A."""
    return [{"user": A, "tx_hash": tx_hash, "title": "t", "log_index": 1} for tx_hash in hashes]


def told(simulator: Simulator) -> list[tuple[int, bool, str | None]]:
    """Return what the book says of each delivery: order, reached, fault."""
    return [(delivery.order, delivery.reached, delivery.fault) for delivery in simulator.book.deliveries]


async def test_duplicates_and_reordered_events() -> None:
    """
    The second of four comes twice, the third after the fourth.

    executed   1  2  3  4
    sent       1  2 2'  4  3
    """
    faults = (Fault(kind="duplicate", after=1), Fault(kind="reorder", after=2))
    async with Simulator(Config(faults=faults)) as simulator, dial(simulator) as client:
        await client.subscribe(A)
        await simulator.execute(orders("1", "2", "3", "4"))
        assert await client.hashes(5) == ["1", "2", "2", "4", "3"]
        assert told(simulator) == [
            (1, True, None),
            (2, True, None),
            (2, True, "duplicate"),
            (4, True, None),
            (3, True, "reorder"),
        ]


async def test_a_reordered_event_without_a_successor_comes_late() -> None:
    """It is not lost when nothing follows."""
    async with Simulator() as simulator, dial(simulator) as client:
        await client.subscribe(A)
        simulator.inject(Fault(kind="reorder", delay=0.05))
        await simulator.execute(orders("1"))
        assert told(simulator) == []
        await simulator.settled()
        assert told(simulator) == [(1, True, "reorder")]
        assert await client.hashes(1) == ["1"]


@pytest.mark.parametrize("kind", ["garble", "truncate"])
async def test_broken_events_have_not_reached_anyone(kind: Any) -> None:
    """The frame arrives, the order does not; the next one does."""
    async with Simulator() as simulator, dial(simulator) as client:
        await client.subscribe(A)
        simulator.inject(Fault(kind=kind))
        await simulator.execute(orders("1", "2"))
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(await client.receive_text())
        assert await client.hashes(1) == ["2"]
        assert told(simulator) == [(1, False, kind), (2, True, None)]


async def test_lost_and_late_events() -> None:
    """One never comes, one is overtaken."""
    async with Simulator() as simulator, dial(simulator) as client:
        await client.subscribe(A)
        simulator.inject(Fault(kind="lose_event"))
        simulator.inject(Fault(kind="delay_event", after=1, delay=0.05))
        await simulator.execute(orders("1", "2", "3"))
        assert await client.hashes(2) == ["3", "2"]
        assert told(simulator) == [(1, False, "lose_event"), (3, True, None), (2, True, "delay_event")]


@pytest.mark.parametrize(("code", "seen"), [(None, None), (1000, 1000), (1001, 1001), (1011, 1011)])
async def test_a_drop_before_an_event_keeps_what_came_before(code: int | None, seen: int | None) -> None:
    """The orders before it reached the socket, it and those behind it did not; the book has them all."""
    async with Simulator() as simulator, dial(simulator) as client:
        await client.subscribe(A)
        simulator.inject(Fault(kind="drop", when="event", after=2, code=code))
        await simulator.execute(orders("1", "2", "3", "4"))
        assert await client.hashes(2) == ["1", "2"]
        with pytest.raises(ConnectionClosed) as caught:
            await client.receive()
        assert (caught.value.rcvd and caught.value.rcvd.code) == seen
        assert [(order, reached) for order, reached, _ in told(simulator)] == [
            (1, True),
            (2, True),
            (3, False),
            (4, False),
        ]


async def test_timed_drops_hit_the_connection_named() -> None:
    """Only connection 1 is cut; injected while it runs."""
    async with Simulator() as simulator, dial(simulator) as one, dial(simulator) as two:
        simulator.inject(Fault(kind="drop", connection=1))
        with pytest.raises(ConnectionClosed):
            await one.receive()
        await two.subscribe(A)
        assert simulator.connections == [2]


async def test_repeated_drops_hit_one_connection_each() -> None:
    """Three drops end three connections, however long the client takes to come back."""
    async with Simulator() as simulator:
        simulator.inject(Fault(kind="drop", every=0.01, times=3))
        for _ in range(3):
            async with dial(simulator) as client:
                with pytest.raises(ConnectionClosed):
                    await client.receive()
            await asyncio.sleep(0.03)
        async with dial(simulator) as client:
            await client.subscribe(A)
        assert simulator.stats()["faults"] == {"drop": 3}


async def test_a_half_open_socket_is_silent() -> None:
    """No events, no acks, no pongs, no end; the book says that nothing arrived. After its delay it is cut."""
    async with Simulator() as simulator, dial(simulator) as client:
        await client.subscribe(A)
        simulator.inject(Fault(kind="half_open", when="event", after=1, delay=0.7))
        await simulator.execute(orders("1", "2", "3"))
        assert await client.hashes(1) == ["1"]
        pong = asyncio.ensure_future(await client.socket.ping())
        await client.ask("subscribe", filters={"users": [A]})
        assert await client.silence()
        assert not pong.done()
        pong.cancel()
        assert told(simulator) == [(1, True, None), (2, False, "half_open"), (3, False, "half_open")]
        with pytest.raises(ConnectionClosed):
            await client.receive()


async def test_a_lost_ack_leaves_the_subscription_live() -> None:
    """Events flow on an id that the client has never been told."""
    async with Simulator() as simulator, dial(simulator) as client:
        simulator.inject(Fault(kind="lose_ack"))
        await client.ask("subscribe", filters={"users": [A]})
        assert await client.silence()
        await simulator.execute(orders("1"))
        assert (await client.receive())["type"] == "event"


async def test_a_delayed_ack_delays_the_subscription() -> None:
    """No event comes before the ack."""
    async with Simulator() as simulator, dial(simulator) as client:
        simulator.inject(Fault(kind="delay_ack", delay=0.5, wallet=A))
        await client.ask("subscribe", filters={"users": [A]})
        assert await client.silence(0.05)
        await simulator.execute(orders("before"))
        assert (await client.receive())["type"] == "ack"
        await simulator.execute(orders("after"))
        assert await client.hashes(1) == ["after"]


async def test_an_early_event_precedes_its_ack() -> None:
    """Subscribed at once, acknowledged after the first event, once."""
    async with Simulator() as simulator, dial(simulator) as client:
        simulator.inject(Fault(kind="early_event", delay=0.5))
        await client.ask("subscribe", filters={"users": [A]})
        assert await client.silence(0.05)
        await simulator.execute(orders("1", "2"))
        assert [(await client.receive())["type"] for _ in range(3)] == ["event", "ack", "event"]
        assert await client.silence(0.6)


async def test_an_error_in_place_of_the_ack_subscribes_nothing() -> None:
    """The code is the fault's; the next attempt works."""
    async with Simulator() as simulator, dial(simulator) as client:
        simulator.inject(Fault(kind="error", error="RATE_LIMIT"))
        await client.ask("subscribe", filters={"users": [A]})
        assert (await client.receive())["code"] == "RATE_LIMIT"
        await simulator.execute(orders("1"))
        assert simulator.book.deliveries == []
        await client.subscribe(A)


async def test_stray_frames_come_as_given() -> None:
    """Out of the blue, or before an event that then comes as well."""
    async with Simulator() as simulator, dial(simulator) as client:
        await client.subscribe(A)
        simulator.inject(Fault(kind="frame", frame="now"))
        assert await client.receive_text() == "now"
        simulator.inject(Fault(kind="frame", frame="{}", when="event"))
        await simulator.execute(orders("1"))
        assert await client.receive() == {}
        assert await client.hashes(1) == ["1"]


async def test_a_refused_handshake_has_the_faults_status() -> None:
    """Once; then the door is open again."""
    async with Simulator(Config(faults=(Fault(kind="refuse", status=429),))) as simulator:
        with pytest.raises(InvalidStatus) as caught:
            await connect(simulator.ws_url())
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"
        async with dial(simulator) as client:
            await client.subscribe(A)


async def test_a_slow_connection_is_late_in_order() -> None:
    """
    Each event of the slow key comes at least its delay late and none overtakes another; the other key's come at once.

    executed  1 2 3
    fast      1 2 3
    slow      . . . . . 1  2   3
    """
    fault = Fault(kind="slow_connection", key="slow", times=None, delay=0.2, jitter=0.01)
    async with (
        Simulator(Config(faults=(fault,))) as simulator,
        dial(simulator, "slow") as slow,
        dial(simulator, "fast") as fast,
    ):
        await slow.subscribe(A)
        await fast.subscribe(A)
        start = asyncio.get_running_loop().time()
        await simulator.execute(orders("1", "2", "3"))
        assert await fast.hashes(3) == ["1", "2", "3"]
        assert asyncio.get_running_loop().time() - start < 0.2
        assert await slow.hashes(3) == ["1", "2", "3"]
        assert asyncio.get_running_loop().time() - start >= 0.2
        await simulator.settled()
        assert {fault for _, _, fault in told(simulator)} == {None, "slow_connection"}


async def test_a_connection_can_become_slow_while_it_is_open() -> None:
    """What was still held when the client leaves is in the book as not reached."""
    async with Simulator() as simulator:
        async with dial(simulator) as client:
            await client.subscribe(A)
            simulator.inject(Fault(kind="slow_connection", when="now", delay=60))
            await until(lambda: simulator.stats()["faults"])
            await simulator.execute(orders("1", "2"))
            assert told(simulator) == []
        await until(lambda: not simulator.connections)
        assert told(simulator) == [(1, False, "slow_connection"), (2, False, "slow_connection")]


async def test_held_and_delayed_events_are_accounted_for_when_the_client_leaves() -> None:
    """What was still to come is in the book as not reached; the quota is free again."""
    async with Simulator() as simulator:
        async with dial(simulator) as client:
            await client.subscribe(A)
            simulator.inject(Fault(kind="delay_event", delay=60))
            simulator.inject(Fault(kind="reorder", after=1, delay=60))
            await simulator.execute(orders("1", "2"))
        await until(lambda: not simulator.connections)
        assert sorted(told(simulator)) == [(1, False, "delay_event"), (2, False, "reorder")]
