"""A broker that restarts, stays away or freezes while orders flow: every executed order is in the topic, once."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from connector.simulator import Config, Fault, Simulator
from tests.support.replica import Topics, complete, replica, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from connector.local.broker import LocalKafka

pytestmark = pytest.mark.slow


async def restarted(kafka: LocalKafka) -> None:
    """Restart it in good form."""
    await kafka.restart()


async def killed(kafka: LocalKafka) -> None:
    """Cut its power and bring it back at once."""
    await kafka.kill()
    await kafka.start()


async def away(kafka: LocalKafka) -> None:
    """Keep it away for longer than the lease, and than the session."""
    await kafka.kill()
    await asyncio.sleep(7.0)
    await kafka.start()


async def frozen(kafka: LocalKafka) -> None:
    """Freeze it for longer than the session: when it wakes, it may believe that we died."""
    kafka.process.signal(signal.SIGSTOP)
    await asyncio.sleep(8.0)
    kafka.process.signal(signal.SIGCONT)


TROUBLES = [restarted, killed, away, frozen]


@asynccontextmanager
async def market(kafka: LocalKafka, prefix: str) -> AsyncIterator[Simulator]:
    """Run a market whose wallets are all live, with a disconnect now and then."""
    config = Config(market=9, rate=60.0, burst=10, wallets=12, twins=0.1, paused=True)
    async with (
        Simulator(config) as simulator,
        replica(kafka, prefix, simulator, wallets=",".join(simulator.wallets), queue_size=200),
    ):
        await settled(kafka, prefix, lambda now: len(now.ended("added")) == 12 and live(now))
        simulator.inject(Fault(kind="drop", every=1.5, times=None))
        simulator.play()
        yield simulator


def live(found: Topics) -> bool:
    """Return whether all wallets are live by their checkpoints."""
    return {checkpoint.standing for checkpoint in found.checkpoints} == {"live"}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_broker_in_trouble_costs_nothing(
    kafka: LocalKafka, topic_prefix: str, trouble: Callable[[LocalKafka], Awaitable[None]]
) -> None:
    """Orders and disconnects go on meanwhile; what waited is published when it is back, and nothing twice."""
    async with market(kafka, topic_prefix) as simulator:
        await asyncio.sleep(1.0)
        before = len(simulator.book.orders)
        await trouble(kafka)
        assert len(simulator.book.orders) > before
        await asyncio.sleep(1.0)
        simulator.pause()
        simulator.clear_faults()
        found = await complete(kafka, topic_prefix, simulator.book, simulator.wallets)
    assert len(found.orders) > 100
