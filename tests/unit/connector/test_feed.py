"""The feed in virtual time, against a provider whose every move is scripted."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from structlog.testing import capture_logs

from connector.backoff import Backoff
from connector.contract.record import decode_dead, decode_order
from connector.contract.topics import ORDERS
from connector.dedupe import Dedupe
from connector.dialects.dome import Dome
from connector.errors import ProviderRefused, PublishFailed
from connector.feed import Feed
from connector.intake import Intake
from connector.session import Limits, Session
from connector.websocket import Disconnected
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from connector.intake import Outgoing

pytestmark = pytest.mark.looptime

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
        self.sent.append(json.loads(frame))
        if self.provider.acks:
            self.arrive({"type": "ack", "subscription_id": f"sub_{len(self.sent)}"})

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
        self.spell = 0.0
        self.opened_at: list[float] = []
        self.sockets: list[FakeSocket] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeSocket]:
        """Accept a connection."""
        self.opened_at.append(round(now(), 3))
        self.sockets.append(socket := FakeSocket(self))
        server = asyncio.ensure_future(self.script(socket)) if self.script else None
        yield socket
        if server is not None:
            await server


class Sink:
    """Keeps what is published; closed for as long as `shut` is set."""

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, record: Outgoing) -> None:
        """Keep a record."""
        await self.open.wait()
        self.records.append(record)


def make_feed(provider: Provider, sink: Any) -> Feed:
    """Return a feed of one wallet, with delays 0.5, 1, 2, ... 30 s: the most unlucky draws."""
    session = Session(Dome(), Limits(), provider="dome")
    session.subscribe("wallets-0", (WALLET,), 0.0)
    return Feed(
        session=session,
        intake=Intake(Dedupe(1000)),
        sink=sink,
        open_socket=provider.open,
        backoff=Backoff(base=0.5, cap=30.0, random=lambda: 1.0),
        healthy_spell=60.0,
    )


async def run_for(seconds: float, provider: Provider, sink: Sink | None = None) -> Sink:
    """Run a feed for some virtual seconds, and return what it published."""
    sink = sink or Sink()
    running = asyncio.ensure_future(make_feed(provider, sink).run())
    await asyncio.wait({running}, timeout=seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return sink


def event(number: int) -> dict[str, Any]:
    """Return the frame of an order that differs from others by its log index and shares."""
    data = order_data(shares=number, shares_normalized=None, log_index=number)
    return {"type": "event", "subscription_id": "sub_1", "data": data}


async def cut_at_once(socket: FakeSocket) -> None:
    """Accept, and cut."""
    socket.cut()


async def test_a_handshake_is_no_proof_of_health() -> None:
    """
    A server that accepts and then cuts is not hammered.

    0    0.5   1.5     3.5         7.5                  15.5
    cut  cut   cut     cut         cut                  cut
    """
    provider = Provider(cut_at_once)
    await run_for(20.0, provider)
    assert provider.opened_at == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5]


async def test_an_order_is_proof_of_health() -> None:
    """With an order on each connection, every delay is the first one."""

    async def one_order(socket: FakeSocket) -> None:
        socket.arrive(event(len(socket.provider.sockets)))
        socket.cut()

    provider = Provider(one_order)
    sink = await run_for(2.2, provider)
    assert provider.opened_at == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert [decode_order(record.value).shares for record in sink.records] == [1, 2, 3, 4, 5]


async def test_the_same_order_or_a_broken_one_is_no_proof_of_health() -> None:
    """A server that greets everybody with its last order and cuts is not hammered."""

    async def greeting(socket: FakeSocket) -> None:
        socket.arrive(event(1))
        socket.arrive({"type": "event", "data": {}})
        socket.cut()

    provider = Provider(greeting)
    await run_for(8.0, provider)
    assert provider.opened_at == [0.0, 0.5, 1.5, 3.5, 7.5]


async def test_a_healthy_spell_is_proof_of_health() -> None:
    """
    Connections of 61 s without an order start the delays over; of 59 s they do not.

    0 ........ 61   61.5 ........ 122.5   123 ........ 184
    spell      0.5  spell         0.5     spell
    """

    async def spell(socket: FakeSocket) -> None:
        await asyncio.sleep(socket.provider.spell)
        socket.cut()

    for seconds, attempts in ((61.0, [0.0, 61.5, 123.0]), (59.0, [0.0, 59.5, 119.5])):
        start = now()
        provider = Provider(spell)
        provider.spell = seconds
        await run_for(150.0, provider)
        assert [at - start for at in provider.opened_at] == attempts


async def test_a_missing_ack_reconnects_and_is_reported_by_name() -> None:
    """
    No ack ever: 10 s, delay 0.5 s, 10 s, delay 1 s.

    0          10   10.5         20.5   21.5
    subscribe  drop subscribe    drop   subscribe
    """
    provider = Provider()
    provider.acks = False
    with capture_logs() as logs:
        await run_for(22.0, provider)
    assert provider.opened_at == [0.0, 10.5, 21.5]
    refused = next(entry for entry in logs if entry["event"] == "subscription.refused")
    assert (refused["subscription"], refused["code"], refused["wallets"]) == ("wallets-0", "NO_ACK", (WALLET,))
    dropped = next(entry for entry in logs if entry["event"] == "feed.disconnected")
    assert dropped["reason"] == "no ack of wallets-0 within 10 s"


async def test_a_half_open_socket_is_noticed() -> None:
    """No frame and no pong: dropped after 30 s, again and again, whatever the ack proved."""
    provider = Provider()
    provider.pongs = False
    await run_for(62.0, provider)
    assert provider.opened_at == [0.0, 30.5, 61.5]


async def test_a_quiet_socket_with_pongs_is_kept() -> None:
    """Wallets may be silent for hours."""
    provider = Provider()
    with capture_logs() as logs:
        await run_for(7200.0, provider)
    assert provider.opened_at == [0.0]
    assert [entry["event"] for entry in logs] == ["feed.live"]


async def test_back_pressure_is_not_held_against_the_provider() -> None:
    """
    Kafka takes nothing from 1 to 101 s; the frames wait, in order, and the connection is kept.

    0     1            101        120
    live  order 1..9   published  still the same connection
    """

    async def orders(socket: FakeSocket) -> None:
        await asyncio.sleep(1.0)
        sink.open.clear()
        for number in range(1, 10):
            socket.arrive(event(number))
        await asyncio.sleep(100.0)
        sink.open.set()

    sink = Sink()
    provider = Provider(orders)
    await run_for(120.0, provider, sink)
    assert provider.opened_at == [0.0]
    assert [decode_order(record.value).shares for record in sink.records] == list(range(1, 10))


async def test_after_a_reconnect_the_wallets_are_asked_for_again() -> None:
    """Each connection begins with the same subscribe."""
    provider = Provider(cut_at_once)
    await run_for(4.0, provider)
    assert len(provider.sockets) == 4
    assert all(not socket.sent or socket.sent[0]["action"] == "subscribe" for socket in provider.sockets)
    provider = Provider()
    provider.pongs = False
    await run_for(40.0, provider)
    assert [socket.sent[0]["filters"] for socket in provider.sockets] == [{"users": [WALLET]}] * 2


async def test_bad_frames_are_kept_and_the_stream_goes_on() -> None:
    """Garbage between two orders costs neither of them."""

    async def mixed(socket: FakeSocket) -> None:
        for frame in (event(1), b'{"type":"event" "data":{}}', {"type": "event", "data": {}}, event(2)):
            socket.arrive(frame)

    with capture_logs() as logs:
        sink = await run_for(1.0, Provider(mixed))
    assert [record.topic is ORDERS for record in sink.records] == [True, False, False, True]
    assert [decode_dead(record.value).reason for record in sink.records[1:3]] == ["bad-json", "invalid-order"]
    assert [entry["fault"][:8] for entry in logs if entry["event"] == "frame.dead"] == ["bad-json", "invalid-"]


async def test_orders_delivered_again_after_a_reconnect_are_dropped() -> None:
    """The dedupe memory outlives the connection."""

    async def again(socket: FakeSocket) -> None:
        for number in (1, 2):
            socket.arrive(event(number))
        socket.cut()

    sink = await run_for(3.0, Provider(again))
    assert [decode_order(record.value).shares for record in sink.records] == [1, 2]


async def test_stop_publishes_what_had_reached_the_socket() -> None:
    """Frames not yet read when the stop comes are read, then the feed ends."""
    provider, sink = Provider(), Sink()
    feed = make_feed(provider, sink)
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(1.0)
    for number in range(1, 100):
        provider.sockets[0].arrive(event(number))
    await feed.stop()
    await running
    assert len(sink.records) == 99
    assert now() == pytest.approx(1.0, abs=0.01)


async def test_stop_between_two_attempts_ends_at_once() -> None:
    """A long delay is not waited for."""
    provider = Provider(cut_at_once)
    feed = make_feed(provider, Sink())
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(8.0)
    await feed.stop()
    await asyncio.wait({running})
    assert running.cancelled()
    assert now() == pytest.approx(8.0, abs=0.01)


async def test_a_refused_key_ends_the_feed() -> None:
    """There is no second attempt."""

    def refuse() -> NoReturn:
        raise ProviderRefused("check API_KEY")

    provider = Provider()
    provider.open = refuse  # type: ignore[method-assign]
    with pytest.raises(ProviderRefused):
        await make_feed(provider, Sink()).run()


async def test_a_failing_sink_ends_the_feed() -> None:
    """An order that cannot be published is not passed over."""

    class Broken:
        async def publish(self, _record: Outgoing) -> None:
            raise PublishFailed("no")

    async def one_order(socket: FakeSocket) -> None:
        socket.arrive(event(1))

    with pytest.raises(ExceptionGroup) as caught:
        await make_feed(Provider(one_order), Broken()).run()
    assert caught.group_contains(PublishFailed)
