"""
The connector against real parts that fail: the simulator's faults and a restarting broker.

Promised here: every order that reached the socket is in the topic exactly once, in order of
arrival per wallet. Orders executed while no connection was up are not part of it: nothing
fetches them yet.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from connector.contract.record import decode_dead
from connector.service import serve
from connector.settings import Settings
from connector.simulator import Config, Fault, Simulator
from tests.support.ledger import Difference, compare, published, reached, read_topic
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from connector.local.broker import LocalKafka

NOTHING = Difference(set(), set(), set(), set())
CAUGHT_UP = 30.0


async def until(condition: Callable[[], object]) -> None:
    """Wait for something the simulator only tells when asked."""
    async with asyncio.timeout(CAUGHT_UP):
        while not condition():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.02)


@asynccontextmanager
async def connector(
    kafka: LocalKafka, prefix: str, simulator: Simulator, dedupe: Literal["on", "off"] = "on"
) -> AsyncIterator[None]:
    """Run the service for a simulator's wallets, impatient enough for a test, and stop it in good form."""
    values = {
        "provider": "simulator",
        "ws_url": simulator.ws_url("{key}"),
        "tier": "dev",
        "wallets": tuple(simulator.wallets),
        "kafka": kafka.bootstrap,
        "topic_prefix": prefix,
        "queue_size": 300,
        "ack_timeout": 0.5,
        "backoff_base": 0.05,
        "backoff_cap": 0.2,
        "dedupe": dedupe,
    }
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(Settings.model_validate(values), stop))
    await until(lambda: simulator.stats()["subscriptions"] or serving.done())
    try:
        yield
    finally:
        stop.set()
        await serving


async def difference(kafka: LocalKafka, prefix: str, simulator: Simulator) -> Difference:
    """Hold the market until the topic has what reached the socket, or it is clear that it never will."""
    simulator.pause()
    await simulator.settled()
    expected = reached(simulator.book)
    result = compare(expected, published(await read_topic(kafka.bootstrap, f"{prefix}orders.v1")))
    give_up = asyncio.get_running_loop().time() + CAUGHT_UP
    while result.missing and asyncio.get_running_loop().time() < give_up:
        await asyncio.sleep(0.2)
        result = compare(expected, published(await read_topic(kafka.bootstrap, f"{prefix}orders.v1")))
    simulator.play()
    return result


async def trouble(simulator: Simulator, drops: int) -> None:
    """Cut the connection `drops` times, abruptly and in good form, amid duplicates and broken frames."""
    before = simulator.stats()["faults"].get("drop", 0)
    simulator.inject(Fault(kind="drop", every=0.4, times=drops // 2))
    simulator.inject(Fault(kind="drop", every=0.5, at=0.1, times=drops - drops // 2, code=1001))
    simulator.inject(Fault(kind="duplicate", times=None, probability=0.3, seed=1))
    simulator.inject(Fault(kind="garble", times=None, probability=0.05, seed=2))
    simulator.inject(Fault(kind="truncate", times=None, probability=0.05, seed=3))
    simulator.inject(Fault(kind="reorder", times=None, probability=0.05, seed=4))
    await until(lambda: simulator.stats()["faults"].get("drop", 0) == before + drops)
    simulator.clear_faults()
    await until(lambda: simulator.stats()["subscriptions"])


async def test_every_order_that_reached_the_socket_is_in_the_topic_once(kafka: LocalKafka, topic_prefix: str) -> None:
    """20 disconnects, duplicates, broken frames, a lost ack and a broker restart: nothing missing, nothing double."""
    async with Simulator(Config(market=7, rate=200.0, burst=20, wallets=60)) as simulator:
        simulator.inject(Fault(kind="lose_ack"))
        async with connector(kafka, topic_prefix, simulator):
            await trouble(simulator, drops=10)
            assert await difference(kafka, topic_prefix, simulator) == NOTHING
            await asyncio.gather(kafka.restart(), asyncio.sleep(2.0))
            assert await difference(kafka, topic_prefix, simulator) == NOTHING
            await trouble(simulator, drops=10)
            await until(lambda: len(reached(simulator.book)) > 1_000)
        assert await difference(kafka, topic_prefix, simulator) == NOTHING
        struck = simulator.stats()["faults"]
        assert struck["drop"] == 20
        assert struck["lose_ack"] == 1
        assert struck["duplicate"] > 20
        broken = {"garble", "truncate"}
        sent_broken = sum(1 for delivery in simulator.book.deliveries if delivery.fault in broken)
    letters = [decode_dead(r.value) for r in await read_topic(kafka.bootstrap, f"{topic_prefix}orders-dead.v1")]
    assert {letter.reason for letter in letters} == {"bad-json"}
    assert sent_broken / 2 < len(letters) <= sent_broken


async def test_without_dedupe_the_same_comparison_fails(kafka: LocalKafka, topic_prefix: str) -> None:
    """The proof that the test above can fail: repeated deliveries are found double in the topic."""
    async with Simulator(Config()) as simulator:
        simulator.wallets.append(WALLET)
        async with connector(kafka, topic_prefix, simulator, dedupe="off"):
            simulator.inject(Fault(kind="duplicate", times=20))
            await simulator.execute(order_data(log_index=n, shares=n, shares_normalized=None) for n in range(1, 51))
            result = await difference(kafka, topic_prefix, simulator)
    assert len(result.double) == 20
    assert result.disordered == {WALLET}
    assert not result.missing | result.foreign
