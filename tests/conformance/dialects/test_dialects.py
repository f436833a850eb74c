"""
What every dialect must do with every client: the official SDKs' steps, and the connector's own feed.

The simulator speaks the dialect over a real socket; what a client keeps to itself is tested where it lives.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.simulator import Config, Fault, Switches
from connector.simulator.tiers import Tier
from tests.support.conversation import conversation
from tests.support.dialects import DIALECTS
from tests.support.dome_client import until
from tests.support.orders import order_data
from tests.support.subscribers import OurFeed, SdkSteps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.conversation import Conversation

A, B, C = ("0x" + digit * 40 for digit in "abc")
SMALL = Tier(subscriptions=2, items=3, total=4, wildcard=False, requests=((1.0, 100),))


def config(name: str, **more: Any) -> Config:
    """Return a simulator's configuration."""
    return Config(**{"dialect": name, "tiers": {"dev-key": SMALL}} | more)


@pytest.fixture(params=DIALECTS)
def name(request: pytest.FixtureRequest) -> str:
    """Return each dialect's name."""
    assert isinstance(request.param, str)
    return request.param


@pytest_asyncio.fixture(params=[SdkSteps, OurFeed])
async def talk(request: pytest.FixtureRequest, name: str) -> AsyncIterator[Conversation]:
    """Return each client in each dialect, connecting."""
    async with conversation(config(name), DIALECTS[name], request.param) as talk:
        yield talk


async def execute(talk: Conversation, user: str, *hashes: str) -> None:
    """Execute orders of the wallet with these transaction hashes."""
    await talk.simulator.execute(order_data(user=user, tx_hash=tx_hash, log_index=31) for tx_hash in hashes)


async def test_a_subscription_brings_its_wallets_orders(talk: Conversation) -> None:
    """In order, once, of these wallets alone, whatever the letter case of their addresses."""
    await talk.watch(one=[A])
    await execute(talk, B, "b1")
    await execute(talk, A, "a1", "a2")
    await execute(talk, A.upper().replace("X", "x"), "a3")
    assert await talk.arrived("a1", "a2", "a3")


async def test_an_order_means_what_was_executed(talk: Conversation) -> None:
    """Its identity and its log index survive the dialect."""
    row = order_data(user=A, log_index=31)
    await talk.watch(one=[A])
    await talk.simulator.execute([row])
    await until(lambda: talk.subscriber.received)
    _, data = talk.subscriber.received[0]
    order = parse_order(data)
    assert (content_id(order), order.log_index) == (content_id(parse_order(row)), 31)


async def test_subscribes_at_once_are_told_apart(talk: Conversation) -> None:
    """Each order comes under the subscription that the client believes its wallet to be in."""
    await talk.watch(one=[A], two=[B, C])
    await execute(talk, A, "a1")
    await execute(talk, B, "b1")
    await execute(talk, C, "c1")
    await until(lambda: len(talk.subscriber.received) == 3)
    wallets = [talk.subscriber.wallets(subscription) for subscription, _ in talk.subscriber.received]
    assert wallets == [{A}, {B, C}, {B, C}]


async def test_an_update_replaces_the_wallets(talk: Conversation) -> None:
    """Of its own subscription only."""
    await talk.watch(one=[A], two=[C])
    await talk.watch(one=[B])
    await execute(talk, A, "a1")
    await execute(talk, B, "b1")
    await execute(talk, C, "c1")
    assert await talk.arrived("b1", "c1")
    assert talk.subscriptions == 2


async def test_an_unsubscribe_ends_one_subscription(talk: Conversation) -> None:
    """The other one goes on, and the freed place can be taken."""
    await talk.watch(one=[A], two=[B])
    await talk.watch(one=[])
    await execute(talk, A, "a1")
    await execute(talk, B, "b1")
    assert await talk.arrived("b1")
    await talk.watch(three=[C])
    await execute(talk, C, "c1")
    assert await talk.arrived("c1")


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011, 4000, 4002])
async def test_after_a_drop_everything_is_asked_for_again(talk: Conversation, code: int | None) -> None:
    """With the wallets of the last update; what came before does not come again."""
    await talk.watch(one=[A], two=[C])
    await talk.watch(one=[B])
    await execute(talk, B, "b1")
    assert await talk.arrived("b1")
    talk.simulator.inject(Fault(kind="drop", code=code))
    await until(lambda: talk.subscriber.connections == 2)
    await talk.live(B, C)
    await execute(talk, A, "a1")
    await execute(talk, B, "b2")
    await execute(talk, C, "c1")
    assert await talk.arrived("b2", "c1")


async def test_a_half_open_connection_is_found_out(talk: Conversation) -> None:
    """Its silence ends it, and a new one takes its place."""
    await talk.watch(one=[A])
    talk.simulator.inject(Fault(kind="half_open", connection=1))
    await until(lambda: talk.subscriber.connections == 2)
    await talk.live(A)
    await execute(talk, A, "a1")
    assert await talk.arrived("a1")


async def test_an_event_may_come_before_its_ack(talk: Conversation) -> None:
    """It arrives, and so do those after the ack."""
    talk.simulator.inject(Fault(kind="early_event", delay=5))
    await talk.subscriber.watch(one=[A])
    await until(lambda: talk.subscriptions == 1)
    await execute(talk, A, "a1")
    await talk.live(A)
    await execute(talk, A, "a2")
    assert await talk.arrived("a1", "a2")


@pytest.mark.parametrize(
    ("before", "wanted", "code"),
    [
        ({}, {"one": ["*"]}, "WILDCARD_NOT_ALLOWED"),
        ({}, {"one": [B, C, "0x1", "0x2"]}, "ITEMS_PER_SUB_LIMIT"),
        ({"one": [B]}, {"one": [B, C, "0x1", "0x2"]}, "ITEMS_PER_SUB_LIMIT"),
        ({"one": [B]}, {"two": [C]}, "SUBSCRIPTION_LIMIT"),
        ({"one": [B]}, {"one": ["0x1", "0x2", "0x3"]}, None),
        ({"other": [A, "0x1"], "one": [B]}, {"one": [B, C, "0x2"]}, "ITEMS_LIMIT"),
    ],
)
async def test_a_refused_request_leaves_the_rest_in_force(
    talk: Conversation, before: dict[str, list[str]], wanted: dict[str, list[str]], code: str | None
) -> None:
    """The client learns the code; what was subscribed before is delivered on the same connection."""
    await talk.watch(**{"other": [A]} | before)
    await talk.subscriber.watch(**wanted)
    if code is None:
        await talk.live(*wanted["one"])
    else:
        await until(lambda: talk.subscriber.refusals)
    await execute(talk, A, "a1")
    assert await talk.arrived("a1")
    assert talk.subscriber.refusals == ([] if code is None else [code])
    assert talk.subscriber.connections == 1


@pytest.mark.parametrize("code", ["RATE_LIMIT", "INVALID_FILTERS", "PARSE_ERROR", "SOMETHING_NEW"])
async def test_any_code_refuses_only_what_was_asked(talk: Conversation, code: str) -> None:
    """Also one that nobody knows."""
    await talk.watch(other=[A])
    talk.simulator.inject(Fault(kind="error", error=code))
    await talk.subscriber.watch(one=[B])
    await until(lambda: talk.subscriber.refusals)
    await execute(talk, A, "a1")
    assert await talk.arrived("a1")
    assert talk.subscriber.refusals == [code]


@pytest.mark.parametrize("make", [SdkSteps, OurFeed])
async def test_predexons_extras_are_not_orders(make: type[SdkSteps | OurFeed]) -> None:
    """A greeting, trades of the mempool and fee refunds: each order arrives once, with its log index."""
    extras = Switches(pending=True, fee_refunds=True)
    async with conversation(config("predexon", switches=extras), DIALECTS["predexon"], make) as talk:
        await talk.watch(one=[A])
        await execute(talk, A, "a1")
        await execute(talk, A, "a2")
        await until(lambda: len(talk.subscriber.received) == 2)
        assert [data["log_index"] for _, data in talk.subscriber.received] == [31, 31]
        assert await talk.arrived("a1", "a2")


async def test_our_feed_counts_what_is_of_no_use() -> None:
    """Of Predexon's extras none becomes a dead letter."""
    extras = Switches(pending=True, fee_refunds=True)
    async with conversation(config("predexon", switches=extras), DIALECTS["predexon"], OurFeed) as talk:
        await talk.watch(one=[A])
        await execute(talk, A, "a1")
        assert await talk.arrived("a1")
        assert isinstance(talk.subscriber, OurFeed)
        assert talk.subscriber.session.ignored == {"connected": 1, "pending": 1, "fee_refund": 1}
        assert talk.subscriber.letters == []


async def test_our_feed_asks_again_when_told_not_now(name: str) -> None:
    """RATE_LIMIT is no verdict on the subscription."""
    async with conversation(config(name), DIALECTS[name], OurFeed) as talk:
        talk.simulator.inject(Fault(kind="error", error="RATE_LIMIT"))
        await talk.watch(one=[A])
        assert talk.subscriber.refusals == ["RATE_LIMIT"]
        await execute(talk, A, "a1")
        assert await talk.arrived("a1")


@pytest.mark.parametrize("code", ["AUTH_REQUIRED", "AUTH_FAILED", "PLAN_REQUIRED"])
async def test_our_feed_gives_a_refused_key_up(name: str, code: str) -> None:
    """At once if it never worked: one connection, and no more."""
    async with conversation(config(name), DIALECTS[name], OurFeed) as talk:
        talk.simulator.inject(Fault(kind="error", error=code))
        await talk.subscriber.watch(one=[A])
        await until(lambda: talk.subscriber.connections and not talk.simulator.connections)
        await asyncio.sleep(0.2)
        assert talk.subscriber.connections == 1
