"""The board on a real broker: what is in the topics is on the page, and what becomes of Kafka is told."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiokafka import AIOKafkaProducer

from streams.board.hub import now_ms
from tests.support.board import alert, conditions, events, example, order, reading, wallet_stats, window
from tests.support.orders import WALLET
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka
    from tests.support.board import Events
    from tests.support.delay_proxy import DelayProxy

PARTITIONS = 2


@asynccontextmanager
async def watched(bootstrap: str, prefix: str) -> AsyncIterator[tuple[str, Events]]:
    """Run a board and watch it; yields its address and the events."""
    async with reading(kafka=bootstrap, topic_prefix=prefix) as board, events(board.address) as seen:
        yield board.address, seen


@asynccontextmanager
async def producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a producer."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as started:
        yield started


async def put(to: AIOKafkaProducer, prefix: str, number: int, **changes: object) -> None:
    """Write an order as the connector does."""
    record = order(number, at_ms=now_ms(), **changes)  # type: ignore[arg-type]
    await to.send_and_wait(f"{prefix}orders.v1", record.value, record.key, headers=list(record.headers))


async def test_it_shows_what_was_there_and_what_comes(kafka: LocalKafka, topic_prefix: str) -> None:
    """Of every topic: a snapshot with the past, then changes; details of a wallet and of an alert."""
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    async with producer(kafka.bootstrap) as to:
        await put(to, topic_prefix, 1, label="whale")
        key, title = WALLET.encode(), "<img src=x onerror=alert(1)>"
        for topic, value in {
            "wallet-stats.v1": wallet_stats(windows={"1m": window(1, 4_800_000, 4_800_000)}),
            "market-stats.v1": example("streams", "market-stats.v1", title=title),
            "alerts.v1": alert("a1", as_of=now_ms()),
            "alert-grades.v1": example("streams", "alert-grades.v1", alert_id="a1"),
            "coverage.v1": example("connector.contract", "coverage.v1", wallet=WALLET),
            "gaps.v1": example("connector.contract", "gaps.v1"),
        }.items():
            await to.send_and_wait(topic_prefix + topic, value, key)
        async with watched(kafka.bootstrap, topic_prefix) as (address, seen):
            told: dict[str, list[dict[str, object]]] = {}

            def all_told(frame: dict[str, object]) -> bool:
                for name in ("orders", "wallets", "markets", "alerts", "gaps"):
                    told.setdefault(name, []).extend(frame.get(name, []))  # type: ignore[arg-type]
                return len(told["alerts"]) > 0 and all(told.values()) and told["wallets"][-1]["standing"] == "live"

            await seen.until(all_told)
            assert told["orders"][0]["label"] == "whale"
            assert told["markets"][0]["title"] == title
            await put(to, topic_prefix, 2)
            frame = await seen.until(lambda frame: "orders" in frame)
            assert [row["wallet"] for row in frame["orders"]] == [WALLET]
            async with aiohttp.ClientSession(address) as client:
                async with client.get(f"/api/wallets/{WALLET}") as answer:
                    page = await answer.json()
                assert (len(page["orders"]), page["row"]["windows"][0][1]) == (2, 4_800_000)
                async with client.get("/api/alerts/a1") as answer:
                    page = await answer.json()
                assert page["row"]["grades"][0]["horizon"] == "end"


async def test_topics_that_come_later_are_read(kafka: LocalKafka, topic_prefix: str) -> None:
    """The board may be started first; until then it says which are missing."""
    async with watched(kafka.bootstrap, topic_prefix) as (_, seen):
        frame = await seen.until(lambda frame: conditions(frame) == {"missing"})
        assert frame["strip"]["topics"][0]["detail"] == f"no topic {topic_prefix}orders.v1 yet"
        await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
        await seen.until(lambda frame: conditions(frame) == {"reading"})
        async with producer(kafka.bootstrap) as to:
            await put(to, topic_prefix, 1)
        await seen.until(lambda frame: "orders" in frame)


async def test_a_broker_that_goes_and_comes_back_costs_no_order(
    kafka: LocalKafka, slow_kafka: DelayProxy, topic_prefix: str
) -> None:
    """
    Viewers are told, and what came meanwhile is read once it is back; nothing is shown twice.

        broker   up ... away ... up
        orders   1        2        3
    """
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    async with (
        watched(slow_kafka.bootstrap, topic_prefix) as (_, seen),
        producer(kafka.bootstrap) as to,
    ):
        shown: list[object] = []

        def order_of(frame: dict[str, object]) -> bool:
            shown.extend(row["event_id"] for row in frame.get("orders", []))  # type: ignore[attr-defined]
            return bool(frame.get("orders"))

        await seen.until(lambda frame: conditions(frame) == {"reading"})
        await put(to, topic_prefix, 1)
        await seen.until(order_of)
        await slow_kafka.close()
        await seen.until(lambda frame: "away" in conditions(frame))
        await put(to, topic_prefix, 2)
        await slow_kafka.start()
        await seen.until(order_of)
        await put(to, topic_prefix, 3)
        await seen.until(order_of)
        assert len(shown) == len(set(shown)) == 3
