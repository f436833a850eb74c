"""What a feed shows of itself in virtual time: counts of connections and their ends, and that it moves."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from connector.backoff import Backoff
from connector.dialects.dome import Dome
from connector.feed import Feed
from connector.health import Part, stuck
from connector.metrics import Metrics
from connector.process.mask import Mask
from connector.session import Limits, Session
from connector.websocket import Disconnected
from tests.support.scripted import FakeSocket, Listener, Provider, now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.looptime
PATIENCE_S = 10.0 + 30.0 + 30.0
"""For connecting, the longest delay between attempts, and slack."""


@asynccontextmanager
async def running(provider: Provider, metrics: Metrics) -> AsyncIterator[Feed]:
    """Run a feed of one wallet."""
    listener = Listener()
    feed = Feed(
        name="primary-0",
        session=Session(Dome(), Limits(), provider="dome", name="primary-0"),
        receiver=listener,
        observer=listener,
        open_socket=provider.open,
        backoff=Backoff(base=0.5, cap=30.0, random=lambda: 1.0),
        healthy_spell=60.0,
        mask=Mask([]),
        metrics=metrics,
    )
    feed.want({"wallets-0": ("0xa",)})
    task = asyncio.ensure_future(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def wrong(feed: Feed) -> str:
    """Return what a probe would say."""
    return stuck([Part("socket", feed.moved_at, PATIENCE_S)], now())


def counts(metrics: Metrics) -> dict[str, float]:
    """Return what happened, without what never did."""
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    samples = [sample for family in families for sample in family.samples if "socket" in sample.labels]
    return {
        sample.name.removeprefix("walletstream_connector_") + sample.labels.get("cause", ""): sample.value
        for sample in samples
        if sample.value and not sample.name.endswith("_created")
    }


async def test_an_outage_of_the_provider_is_no_reason_to_be_restarted() -> None:
    """
    A provider that refuses for an hour, then lets us in and is silent, then is not wanted any more: always at work.

        0 s       refuses       3,600 s   lets us in, answers pings    4,200 s   nothing is wanted
        attempts, 30 s apart ...|         silence, pongs ............|           nothing to do
    """
    provider, metrics = Provider(), Metrics()
    provider.refusal = Disconnected("away")
    async with running(provider, metrics) as feed:
        for _ in range(3_600):
            await asyncio.sleep(1)
            assert not wrong(feed)
        provider.refusal = None
        for _ in range(600):
            await asyncio.sleep(1)
            assert not wrong(feed)
        assert feed.session.confirmed == 1
        feed.want({"wallets-0": ()})
        await asyncio.sleep(3_600)
        assert feed.moved_at is None
    told = counts(metrics)
    assert told.pop("connect_failures_total") > 100
    assert told.pop("frames_total") > 0
    assert told == {"connections_total": 1, "disconnects_totalunwanted": 1}


async def test_why_connections_end_is_counted() -> None:
    """One is cut, the next falls silent, the third goes on."""

    async def script(socket: FakeSocket) -> None:
        number = len(socket.provider.sockets)
        socket.provider.pongs = number != 2
        if number == 1:
            socket.cut()

    metrics = Metrics()
    async with running(Provider(script), metrics):
        await asyncio.sleep(60)
        told = counts(metrics)
    assert told["connections_total"] == 3
    assert told["disconnects_totaldisconnect"] == told["disconnects_totalsilence"] == 1
    assert "connect_failures_total" not in told


async def test_a_feed_that_hangs_is_stuck() -> None:
    """What opens the connection never comes back, which its own time limit should have prevented."""
    provider, metrics = Provider(), Metrics()

    @asynccontextmanager
    async def hanging() -> AsyncIterator[FakeSocket]:
        await asyncio.Event().wait()
        yield FakeSocket(provider)

    provider.open = hanging  # type: ignore[method-assign]
    async with running(provider, metrics) as feed:
        await asyncio.sleep(PATIENCE_S)
        assert not wrong(feed)
        await asyncio.sleep(1)
        assert wrong(feed) == "socket has not moved for 71 s"
