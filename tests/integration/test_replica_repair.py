"""
Gap repair on the real broker: whatever the provider's sockets and REST do, every executed order is in the topic once.

The book of the simulator is the truth; the wallets are live before anything is executed.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from connector.coverage import Policy
from connector.simulator import Config, Fault, Simulator, Switches
from tests.support.orders import WALLET, order_data
from tests.support.replica import complete, replica, settled, topics, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka
    from tests.support.replica import Topics

OTHER = "0x" + "b2" * 20


def orders(numbers: range, **changes: Any) -> list[dict[str, Any]]:
    """Return orders of now, told apart by their shares."""
    made = [order_data(shares=1_000_000 + n, shares_normalized=None, log_index=n, **changes) for n in numbers]
    for row in made:
        del row["timestamp"]
    return made


@asynccontextmanager
async def watching(kafka: LocalKafka, prefix: str, simulator: Simulator, **changes: Any) -> AsyncIterator[None]:
    """Watch two wallets, or those of the market; go on when they are live and the gap of the beginning has ended."""
    wallets = simulator.wallets or [WALLET, OTHER]
    async with replica(kafka, prefix, simulator, wallets=",".join(wallets), **changes):
        found = await settled(
            kafka,
            prefix,
            lambda now: len(now.ended("added")) == len(wallets) and all(map(live, now.coverage.values())),
        )
        assert not found.open
        yield


def live(checkpoint: Any) -> bool:
    """Return whether a checkpoint says so."""
    return checkpoint is not None and checkpoint.standing == "live"


def causes(found: Topics) -> set[str]:
    """Return why gaps were opened after the beginning."""
    return {str(reports[-1].cause) for reports in found.gaps.values()} - {"added"}


def recovered(found: Topics) -> int:
    """Return how many orders the repairs published."""
    return sum(reports[-1].recovered for reports in found.gaps.values())


async def gone(simulator: Simulator) -> None:
    """Cut the connection, execute orders while there is none, and wait for the next one."""
    before = simulator.stats()["faults"].get("drop", 0)
    simulator.inject(Fault(kind="refuse", times=2))
    simulator.inject(Fault(kind="drop"))
    await until(lambda: simulator.stats()["faults"].get("drop", 0) > before)


async def test_orders_of_a_disconnect_are_fetched(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    What is executed while there is no connection is published by the repair, and the gap says so.

    live  order 1  cut  orders 2-4  live  order 5
                   |<----- gap ---->|
    """
    async with Simulator(Config()) as simulator, watching(kafka, topic_prefix, simulator):
        await simulator.execute(orders(range(1, 2)))
        await gone(simulator)
        await simulator.execute(orders(range(2, 5)))
        await until(lambda: simulator.stats()["subscriptions"])
        await simulator.execute(orders(range(5, 6)))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER], cause="disconnect")
    assert causes(found) == {"disconnect"}
    assert [report.recovered for report in found.ended("disconnect") if report.wallet == WALLET] == [3]
    assert all(report.state == "closed" for report in found.ended("disconnect"))


async def test_a_half_open_socket_is_a_gap_from_the_last_proof(kafka: LocalKafka, topic_prefix: str) -> None:
    """What a silent socket swallowed before anybody noticed is fetched: the gap begins at the last proven moment."""
    async with (
        Simulator(Config()) as simulator,
        watching(kafka, topic_prefix, simulator, ping_interval=0.3, idle_timeout=1.0),
    ):
        await simulator.execute(orders(range(1, 2)))
        simulator.inject(Fault(kind="half_open"))
        await until(lambda: simulator.stats()["faults"].get("half_open"))
        await simulator.execute(orders(range(2, 5)))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER], cause="silence")
    assert causes(found) == {"silence"}
    assert recovered(found) == 3


async def test_verification_finds_what_a_socket_lost_silently(kafka: LocalKafka, topic_prefix: str) -> None:
    """Events the provider never sent, on a connection that is well: the routine comparison finds them."""
    async with (
        Simulator(Config()) as simulator,
        watching(kafka, topic_prefix, simulator, verify_interval=1.0),
    ):
        simulator.inject(Fault(kind="lose_event", times=2))
        await simulator.execute(orders(range(1, 5)))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER], cause="silent-loss")
        found = await settled(kafka, topic_prefix, lambda now: now.ended("silent-loss"))
    assert causes(found) == {"silent-loss"}
    assert recovered(found) == 2


async def test_without_verification_a_silent_loss_stays(kafka: LocalKafka, topic_prefix: str) -> None:
    """The proof that the tests here can fail: nothing but verification finds an event that was never sent."""
    async with Simulator(Config()) as simulator, watching(kafka, topic_prefix, simulator):
        simulator.inject(Fault(kind="lose_event"))
        await simulator.execute(orders(range(1, 3)))
        with pytest.raises(AssertionError, match=r"missing: .*lose_event"):
            await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER], seconds=3.0)


async def test_a_broken_frame_is_fetched(kafka: LocalKafka, topic_prefix: str) -> None:
    """Frames that are no JSON any more name their wallet: its orders come from REST, the others have no gap."""
    async with Simulator(Config()) as simulator, watching(kafka, topic_prefix, simulator):
        simulator.inject(Fault(kind="garble", wallet=WALLET, times=2))
        await simulator.execute(orders(range(1, 4)))
        await simulator.execute(orders(range(4, 6), user=OTHER))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER], cause="bad-frame")
    assert causes(found) == {"bad-frame"}
    assert {report.wallet for report in found.ended("bad-frame")} == {WALLET}
    assert recovered(found) == 2


async def test_a_frame_that_names_no_wallet_is_fetched(kafka: LocalKafka, topic_prefix: str) -> None:
    """Half a frame may be an order of any wallet of its subscription: all of them are compared with REST."""
    async with Simulator(Config()) as simulator, watching(kafka, topic_prefix, simulator):
        simulator.inject(Fault(kind="truncate", wallet=WALLET))
        await simulator.execute(orders(range(1, 4)))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER])
        found = await settled(kafka, topic_prefix, lambda now: len(now.ended("bad-frame")) == 2)
    assert {report.wallet for report in found.ended("bad-frame")} == {WALLET, OTHER}
    assert recovered(found) == 1


async def test_what_rest_withholds_is_on_record(
    kafka: LocalKafka, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame that cannot be read, and an order that REST never shows: unrecoverable, with the transaction's hash."""
    monkeypatch.setattr(Policy, "patience_ms", 2_000)  # a minute, and more with SETTLE
    lost = "0x" + "7e" * 32
    changes = {"settle": 0.2, "overlap": 1.0}
    async with Simulator(Config()) as simulator, watching(kafka, topic_prefix, simulator, **changes):
        simulator.inject(Fault(kind="rest_withhold"))
        simulator.inject(Fault(kind="garble"))
        await simulator.execute(orders(range(1, 2), tx_hash=lost, taker=None))
        found = await settled(kafka, topic_prefix, lambda now: now.ended("bad-frame"))
    [report] = found.ended("bad-frame")
    assert report.state == "unrecoverable"
    assert lost in (report.detail or "")
    assert found.orders == []


REST_FAULTS = {
    "429": [Fault(kind="rest_status", status=429, times=2)],
    "5xx": [Fault(kind="rest_status", status=503, times=3)],
    "slow": [Fault(kind="rest_slow", delay=3.0)],
    "partial": [Fault(kind="rest_partial", times=3)],
    "truncated": [Fault(kind="rest_truncate", times=2)],
    "repeated": [Fault(kind="rest_repeat", times=None)],
    "expired": [Fault(kind="expire_cursor", times=2)],
    "late": [Fault(kind="rest_late", delay=0.9, times=30)],
}


@pytest.mark.parametrize("faults", REST_FAULTS.values(), ids=REST_FAULTS)
async def test_a_faulty_rest_only_delays_the_repair(kafka: LocalKafka, topic_prefix: str, faults: list[Fault]) -> None:
    """600 orders of a disconnect, three pages of them, are all published once, whatever REST does meanwhile."""
    async with Simulator(Config()) as simulator, watching(kafka, topic_prefix, simulator):
        await gone(simulator)
        for fault in faults:
            simulator.inject(fault)
        await simulator.execute(orders(range(1, 601)))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER], cause="disconnect")
        assert simulator.stats()["faults"].get(faults[0].kind), "the fault did not strike"
    assert causes(found) == {"disconnect"}
    assert recovered(found) == 600


async def test_a_refused_subscription_is_followed_by_rest(kafka: LocalKafka, topic_prefix: str) -> None:
    """While the provider refuses the subscription, orders come from REST; then the socket goes on."""
    async with (
        Simulator(Config()) as simulator,
        watching(kafka, topic_prefix, simulator, retry_refused=4.0, poll_interval=0.5),
    ):
        simulator.inject(Fault(kind="error", error="INVALID_FILTERS", times=1))
        simulator.inject(Fault(kind="drop"))
        await until(lambda: simulator.stats()["faults"].get("error"))
        await simulator.execute(orders(range(1, 4)))
        found = await settled(kafka, topic_prefix, lambda now: len(now.orders) == 3, seconds=3.5)
        assert len(found.orders) == 3, "they should not wait for the socket"
        assert {each.standing for each in found.coverage.values() if each} <= {"refused", "down"}
        await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER])
        assert all(map(live, (await topics(kafka, topic_prefix)).coverage.values()))
    standings = {each.standing for each in (await topics(kafka, topic_prefix)).coverage.values() if each}
    assert standings == {"down"}, "what is over should not be told any more"


async def test_a_lost_ack_loses_nothing(kafka: LocalKafka, topic_prefix: str) -> None:
    """A subscription in force that is never acknowledged: its events count, and the reconnect is repaired."""
    async with Simulator(Config()) as simulator, watching(kafka, topic_prefix, simulator):
        simulator.inject(Fault(kind="lose_ack"))
        simulator.inject(Fault(kind="drop"))
        await until(lambda: simulator.stats()["faults"].get("lose_ack"))
        for number in range(1, 15):
            await simulator.execute(orders(range(number, number + 1)))
            await asyncio.sleep(0.1)
        await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER])


async def test_everything_at_once(kafka: LocalKafka, topic_prefix: str) -> None:
    """A busy market with twins, cut ten times amid broken, repeated, late and lost events and a faulty REST."""
    config = Config(market=11, rate=150.0, burst=20, wallets=30, paused=True, twins=0.1)
    async with (
        Simulator(config) as simulator,
        watching(kafka, topic_prefix, simulator, verify_interval=2.0),
    ):
        for fault in (
            Fault(kind="drop", every=0.5, times=10),
            Fault(kind="duplicate", times=None, probability=0.1, seed=1),
            Fault(kind="garble", times=None, probability=0.02, seed=2),
            Fault(kind="truncate", times=None, probability=0.02, seed=3),
            Fault(kind="reorder", times=None, probability=0.05, seed=4),
            Fault(kind="delay_event", times=None, probability=0.05, seed=5, delay=0.3),
            Fault(kind="lose_event", times=None, probability=0.02, seed=6),
            Fault(kind="no_indexes", times=None, probability=0.05, seed=7),
            Fault(kind="rest_status", times=None, probability=0.1, seed=8),
            Fault(kind="rest_partial", times=None, probability=0.1, seed=9),
            Fault(kind="rest_late", times=None, probability=0.1, seed=10, delay=0.8),
        ):
            simulator.inject(fault)
        simulator.play()
        await until(lambda: simulator.stats()["faults"].get("drop") == 10)
        simulator.pause()
        simulator.clear_faults()
        found = await complete(kafka, topic_prefix, simulator.book, simulator.wallets)
    assert len(found.orders) > 300
    assert causes(found) <= {"disconnect", "bad-frame", "twin", "silent-loss"}


async def test_a_late_row_beyond_settling_is_found_by_verification(kafka: LocalKafka, topic_prefix: str) -> None:
    """REST that is slower than SETTLE shows an order after the gap was closed: the next comparison finds it."""
    switches = Switches(rest_lag=0.0)
    async with (
        Simulator(Config(switches=switches)) as simulator,
        watching(kafka, topic_prefix, simulator, verify_interval=2.0, settle=0.3),
    ):
        simulator.inject(Fault(kind="rest_late", delay=4.0))
        await gone(simulator)
        await simulator.execute(orders(range(1, 2)))
        found = await complete(kafka, topic_prefix, simulator.book, [WALLET, OTHER], cause="silent-loss")
    assert "silent-loss" in causes(found)
