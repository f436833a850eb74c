"""The feed in virtual time, against a provider whose every move is scripted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from connector.backoff import Backoff
from connector.dialects.dome import Dome
from connector.errors import ProviderRefused, PublishFailed
from connector.feed import Feed
from connector.process.mask import Mask
from connector.session import Limits, Session
from tests.support import scripted
from tests.support.scripted import FakeSocket, Listener, Provider, now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.commands import Deliver

pytestmark = pytest.mark.looptime

KEY = "s3cr3t"
W, W2 = "0xa", "0xb"


def make_feed(provider: Provider, listener: Listener, **kwargs: Any) -> Feed:
    """Return a feed of one wallet, with delays 0.5, 1, 2, ... 30 s: the most unlucky draws."""
    feed = Feed(
        name="primary-0",
        session=Session(Dome(), Limits(), provider="dome", name="primary-0"),
        receiver=listener,
        observer=listener,
        open_socket=provider.open,
        backoff=Backoff(base=0.5, cap=30.0, random=lambda: 1.0),
        healthy_spell=60.0,
        mask=Mask([KEY]),
        **kwargs,
    )
    feed.want({"wallets-0": (W,)})
    return feed


async def run_for(seconds: float, provider: Provider, listener: Listener | None = None) -> Listener:
    """Run a feed for some virtual seconds, and return what it told."""
    listener = listener or Listener()
    running = asyncio.ensure_future(make_feed(provider, listener).run())
    await asyncio.wait({running}, timeout=seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return listener


def event(number: int) -> dict[str, Any]:
    """Return the frame of an order."""
    return {"type": "event", "subscription_id": "sub_1", "data": {"n": number}}


def numbers(listener: Listener) -> list[int]:
    """Return the orders handed over."""
    return [order["n"] for order in listener.orders]


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
    listener = await run_for(2.2, provider)
    assert provider.opened_at == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert numbers(listener) == [1, 2, 3, 4, 5]


async def test_the_same_order_or_a_broken_one_is_no_proof_of_health() -> None:
    """A server that greets everybody with its last order and cuts is not hammered."""

    async def greeting(socket: FakeSocket) -> None:
        socket.arrive(event(1))
        socket.arrive(b"{")
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
        assert [round(at - start, 3) for at in provider.opened_at] == attempts


async def test_a_missing_ack_reconnects_and_is_reported_by_name() -> None:
    """
    No ack ever: 10 s, delay 0.5 s, 10 s, delay 1 s.

    0          10   10.5         20.5   21.5
    subscribe  drop subscribe    drop   subscribe
    """
    provider = Provider()
    provider.acks = False
    with capture_logs() as logs:
        listener = await run_for(22.0, provider)
    assert provider.opened_at == [0.0, 10.5, 21.5]
    refused = next(entry for entry in logs if entry["event"] == "subscription.refused")
    assert (refused["subscription"], refused["code"], refused["wallets"]) == ("wallets-0", "NO_ACK", (W,))
    dropped = next(entry for entry in logs if entry["event"] == "feed.disconnected")
    assert dropped["reason"] == "no ack of wallets-0 within 10 s"
    assert listener.news == [("refused", "primary-0", W, "NO_ACK", "no ack within 10 s")] * 2


async def test_a_half_open_socket_is_noticed() -> None:
    """No frame and no pong: dropped after 30 s, again and again; nothing is proven after the ack."""
    provider = Provider()
    provider.pongs = False
    listener = await run_for(62.0, provider)
    assert provider.opened_at == [0.0, 30.5, 61.5]
    assert listener.news[:3] == [
        ("live", "primary-0", W, 0.0),
        ("lost", "primary-0", W, "silence", 0.0, 30.0),
        ("live", "primary-0", W, 30.5),
    ]


async def test_a_quiet_socket_with_pongs_is_kept() -> None:
    """Wallets may be silent for hours; each pong proves that nothing is missing."""
    provider = Provider()
    with capture_logs() as logs:
        listener = await run_for(3600.0, provider)
    assert provider.opened_at == [0.0]
    assert [entry["event"] for entry in logs] == ["feed.live"]
    assert listener.proofs[:3] == [(0.0, 0), (10.05, 0), (20.1, 0)]
    assert listener.proofs[-1][0] > 3585.0


async def test_back_pressure_is_not_held_against_the_provider() -> None:
    """
    Kafka takes nothing from 1 to 101 s; the frames wait, in order, and the connection is kept.

    0     1            101        120
    live  order 1..9   taken      still the same connection; 1 .. 101 is in doubt
    """

    async def orders(socket: FakeSocket) -> None:
        await asyncio.sleep(1.0)
        listener.open.clear()
        for number in range(1, 10):
            socket.arrive(event(number))
        await asyncio.sleep(100.0)
        listener.open.set()

    listener = Listener()
    provider = Provider(orders)
    await run_for(120.0, provider, listener)
    assert provider.opened_at == [0.0]
    assert numbers(listener) == list(range(1, 10))
    assert listener.news[:2] == [("live", "primary-0", W, 0.0), ("stalled", "primary-0", W, 1.0, 101.0)]
    assert listener.news[2:] == [("lost", "primary-0", W, "disconnect", 111.05, 120.0)], "by the end of the test"
    assert listener.proofs == [(0.0, 0), (1.0, 9), (111.05, 9)]


async def test_frames_behind_one_that_is_slow_are_not_proven() -> None:
    """
    Three orders arrive at 10.02; each takes 0.3 s. A pong that comes meanwhile proves nothing.

    10.02        10.05   10.32   10.62   10.92
    1, 2, 3      pong    1       2       3: nothing waits, and nothing arrived after 10.02
    """

    class Slow(Listener):
        async def order(self, delivery: Deliver) -> bool:
            await asyncio.sleep(0.3)
            return await super().order(delivery)

    async def orders(socket: FakeSocket) -> None:
        await asyncio.sleep(10.02)
        for number in range(1, 4):
            socket.arrive(event(number))

    listener = await run_for(12.0, Provider(orders), Slow())
    assert listener.proofs == [(0.0, 0), (10.02, 3)]


async def test_proofs_are_cheap_and_fresh() -> None:
    """1,000 orders in 1 s: a proof about every 100 ms, and one soon after the last order."""

    async def orders(socket: FakeSocket) -> None:
        for number in range(1000):
            socket.arrive(event(number))
            await asyncio.sleep(0.001)

    listener = await run_for(1.5, Provider(orders))
    assert 9 <= len(listener.proofs) <= 12
    assert all(abs(number / 1000 - at) < 0.01 for at, number in listener.proofs)


async def test_a_process_that_was_frozen_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    SIGSTOP from 2 to 22 s: the clock jumps, nobody looks at it meanwhile.

    0     2 ........ 22
    live  frozen     stalled since the last look, before anything newer is proven
    """
    provider, listener = Provider(), Listener()
    feed = make_feed(provider, listener)
    clock, jump = feed._clock, 0.0
    feed._clock = lambda: clock() + jump
    monkeypatch.setattr(scripted, "now", feed._clock)
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(2.5)
    jump = 20.0
    provider.sockets[0].arrive(event(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert listener.news[1] == ("stalled", "primary-0", W, 2.0, 22.5)
    await feed.stop()
    await running
    assert listener.news[2] == ("lost", "primary-0", W, "disconnect", 2.0, 22.5), "nobody knows when the order came"
    assert numbers(listener) == [1]


async def test_after_a_reconnect_the_wallets_are_asked_for_again() -> None:
    """Each connection begins with the same subscribe; the wallet is live from the ack to the last proof."""
    provider = Provider()
    provider.pongs = False
    await run_for(40.0, provider)
    assert [socket.sent[0]["filters"] for socket in provider.sockets] == [{"users": [W]}] * 2

    async def talk(socket: FakeSocket) -> None:
        await asyncio.sleep(2.0)
        socket.arrive(event(len(socket.provider.sockets)))
        await asyncio.sleep(1.0)
        socket.cut()

    listener = await run_for(5.0, Provider(talk))
    start = listener.news[0][-1]
    assert [(item[0], *(round(at - start, 3) for at in item[3:] if at != "disconnect")) for item in listener.news] == [
        ("live", 0.0),
        ("lost", 2.0, 3.0),
        ("live", 3.5),
        ("lost", 3.5, 5.0),
    ]


async def test_the_date_of_the_handshake_is_told() -> None:
    """It says what the provider's clock shows."""
    listener = await run_for(4.0, Provider(cut_at_once))
    assert listener.dates == [("Sun, 01 Nov 2026 00:00:00 GMT", at) for at in (0.0, 0.5, 1.5, 3.5)]


async def test_bad_frames_are_handed_over_and_the_stream_goes_on() -> None:
    """Garbage between two orders costs neither of them, and names the wallets it may concern."""

    async def mixed(socket: FakeSocket) -> None:
        await asyncio.sleep(0.1)
        for frame in (event(1), b'{"type":"event" "data":{}}', {"type": "?"}, event(2)):
            socket.arrive(frame)

    listener = await run_for(1.0, Provider(mixed))
    assert numbers(listener) == [1, 2]
    assert listener.letters == [("bad-json", (W,)), ("unknown-type", (W,))]


async def test_a_new_wallet_is_live_at_once() -> None:
    """On the same connection, by an update; the other wallet hears nothing of it."""
    provider, listener = Provider(), Listener()
    feed = make_feed(provider, listener)
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(1.0)
    feed.want({"wallets-0": (W, W2)})
    await asyncio.sleep(0.01)
    assert listener.news == [("live", "primary-0", W, 0.0), ("live", "primary-0", W2, 1.0)]
    assert [frame["action"] for frame in provider.sockets[0].sent] == ["subscribe", "update"]
    await feed.stop()
    await running


async def test_a_wish_reaches_the_wire_even_while_kafka_is_away() -> None:
    """The reader waits for the receiver; what is to be said does not."""
    provider, listener = Provider(), Listener()
    feed = make_feed(provider, listener)
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(1.0)
    listener.open.clear()
    provider.sockets[0].arrive(event(1))
    await asyncio.sleep(40.0)
    feed.want({"wallets-1": (W2,)})
    await asyncio.sleep(0.1)
    assert len(provider.sockets[0].sent) == 2
    await asyncio.sleep(20.0)
    assert not provider.sockets[0].ended, "the ack may have come: nobody reads"
    listener.open.set()
    await feed.stop()
    await running


async def test_without_wallets_there_is_no_connection() -> None:
    """
    A provider closes connections without subscriptions; ours is closed when the last wallet goes.

    0         5       10            15
    connect   close   connect       close
    """
    provider, listener = Provider(), Listener()
    feed = make_feed(provider, listener)
    running = asyncio.ensure_future(feed.run())
    with capture_logs() as logs:
        for at, wishes in ((5.0, {"wallets-0": ()}), (10.0, {"wallets-0": (W2,)}), (15.0, {"wallets-0": ()})):
            await asyncio.sleep(at - now())
            feed.want(wishes)
        await asyncio.sleep(100.0)
    assert provider.opened_at == [0.0, 10.0]
    assert [entry["event"] for entry in logs] == ["feed.live", "feed.live"]
    assert [item[:1] + item[-1:] for item in listener.news] == [("live", 0), ("lost", 5), ("live", 10), ("lost", 15)]
    assert [frame["action"] for frame in provider.sockets[0].sent] == ["subscribe", "unsubscribe"]
    await feed.stop()
    await asyncio.wait({running})


async def test_who_is_no_longer_wanted_when_the_connection_is_made_keeps_none() -> None:
    """The handshake took a second; meanwhile the only wallet was removed."""

    class SlowProvider(Provider):
        @asynccontextmanager
        async def open(self) -> AsyncIterator[FakeSocket]:
            await asyncio.sleep(1.0)
            async with super().open() as socket:
                yield socket

    provider, listener = SlowProvider(), Listener()
    feed = make_feed(provider, listener)
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(0.5)
    feed.want({"wallets-0": ()})
    await asyncio.sleep(1.0)
    assert provider.sockets[0].ended
    assert provider.sockets[0].sent == []
    await feed.stop()
    await asyncio.wait({running})


async def test_a_pong_of_a_connection_that_is_gone_proves_nothing() -> None:
    """Asked for at 10, it comes at 10.05; the connection was cut at 10.02."""

    async def cut_later(socket: FakeSocket) -> None:
        await asyncio.sleep(10.02)
        socket.cut()

    listener = await run_for(10.4, Provider(cut_later))
    assert listener.proofs == [(0.0, 0)]
    assert listener.news[1] == ("lost", "primary-0", W, "disconnect", 0.0, 10.02)


async def test_stop_hands_over_what_had_reached_the_socket() -> None:
    """Frames not yet read when the stop comes are read, then the feed ends."""
    provider, listener = Provider(), Listener()
    feed = make_feed(provider, listener)
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(1.0)
    for number in range(1, 100):
        provider.sockets[0].arrive(event(number))
    await feed.stop()
    await running
    assert len(listener.orders) == 99
    assert now() == pytest.approx(1.0, abs=0.01)


async def test_stop_between_two_attempts_ends_at_once() -> None:
    """A long delay is not waited for."""
    provider = Provider(cut_at_once)
    feed = make_feed(provider, Listener())
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(8.0)
    await feed.stop()
    await asyncio.wait({running})
    assert running.cancelled()
    assert now() == pytest.approx(8.0, abs=0.01)


def refusing(provider: Provider) -> Provider:
    """Let the provider refuse the key from now on."""
    provider.refusal = ProviderRefused(f"no entry with {KEY}, check API_KEY")
    return provider


async def test_a_key_that_never_worked_ends_the_feed() -> None:
    """There is no second attempt, and the key is not quoted."""
    with pytest.raises(ProviderRefused, match=r"no entry with \*\*\*, check API_KEY"):
        await make_feed(refusing(Provider()), Listener()).run()


async def test_a_key_that_had_worked_gets_a_minute() -> None:
    """
    Providers hiccup; one that still refuses after 60 s is believed.

    0     5    5.5      6.5      8.5      12.5     20.5     36.5     66.5
    live  cut  refused  refused  refused  refused  refused  refused  final
    """

    async def cut_later(socket: FakeSocket) -> None:
        await asyncio.sleep(5.0)
        refusing(socket.provider)
        socket.cut()

    provider = Provider(cut_later)
    with capture_logs() as logs, pytest.raises(ProviderRefused):
        await make_feed(provider, Listener()).run()
    assert provider.opened_at == [0.0, 5.5, 6.5, 8.5, 12.5, 20.5, 36.5, 66.5]
    assert KEY not in str(logs)


@pytest.mark.parametrize("worked", [False, True])
async def test_an_error_frame_can_refuse_the_key_too(worked: bool) -> None:  # noqa: FBT001 - a parameter
    """It closes the connection; whether it is final depends on the past, as at the handshake."""

    async def turn_away(socket: FakeSocket) -> None:
        socket.provider.acks = worked
        await asyncio.sleep(1.0)
        socket.arrive({"type": "error", "code": "AUTH_FAILED", "message": f"{KEY} is blocked"})

    provider = Provider(turn_away)
    provider.acks = worked
    running = asyncio.ensure_future(make_feed(provider, Listener()).run())
    await asyncio.wait({running}, timeout=10.0)
    if worked:
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})
        return
    assert provider.opened_at == [0.0]
    with pytest.raises(ProviderRefused, match=r"check API_KEY: AUTH_FAILED \*\*\* is blocked"):
        await running


async def test_what_providers_say_is_logged_without_the_key() -> None:
    """A refusal may quote it."""

    async def refuse(socket: FakeSocket) -> None:
        socket.provider.acks = False
        socket.arrive({"type": "error", "code": f"X-{KEY}", "message": f"not with {KEY}"})

    provider = Provider(refuse)
    provider.acks = False
    with capture_logs() as logs:
        listener = await run_for(1.0, provider)
    assert [entry["message"] for entry in logs] == ["not with ***"]
    assert listener.news == [("refused", "primary-0", W, "X-***", "not with ***")]


async def test_a_failing_receiver_ends_the_feed() -> None:
    """An order that cannot be published is not passed over."""

    class Broken(Listener):
        async def order(self, delivery: Deliver) -> bool:
            raise PublishFailed("no")

    async def one_order(socket: FakeSocket) -> None:
        socket.arrive(event(1))

    with pytest.raises(ExceptionGroup) as caught:
        await make_feed(Provider(one_order), Broken()).run()
    assert caught.group_contains(PublishFailed)


async def test_a_timer_may_go_off_before_the_clock_shows_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Event loops fire up to their clock's resolution early; the feed goes on, and does not spin on the spot."""
    provider, listener = Provider(), Listener()
    feed = make_feed(provider, listener)
    clock, ahead = feed._clock, 4e-10
    feed._clock = lambda: clock() + ahead
    monkeypatch.setattr(scripted, "now", feed._clock)
    running = asyncio.ensure_future(feed.run())
    await asyncio.sleep(1.0)
    ahead = 0.0
    await asyncio.sleep(24.0)
    assert [at for at, _ in listener.proofs] == [0.0, 10.05, 20.1]
    await feed.stop()
    await running
