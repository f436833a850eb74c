"""The watch-list against a running connector, on the real broker and a simulator."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from connector.contract.gap import decode_gap
from connector.kafka.reader import read_all
from connector.kafka.settings import KafkaSettings
from connector.local.plan import first_order
from connector.service import serve
from connector.settings import Settings
from connector.simulator import Config, Simulator
from connector.watch.command import add_parser, run
from tests.support.orders import WALLET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from connector.local.broker import LocalKafka

ADDED = "0x" + "ad" * 20


async def watch(settings: KafkaSettings, *arguments: str) -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return await run(parser.parse_args(["watch", *arguments]), settings)


@asynccontextmanager
async def connector(settings: Settings) -> AsyncIterator[None]:
    """Run a connector meanwhile."""
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await serving


def deliveries(simulator: Simulator) -> int:
    """Return how many of the wallet's orders reached the connector's socket."""
    return sum(
        delivery.reached and simulator.book.orders[delivery.order - 1].row["user"] == ADDED
        for delivery in simulator.book.deliveries
    )


async def test_a_wallet_is_live_within_a_second_and_leaves_the_others_alone(
    kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Added while the connector runs, its next order is published; removed, it is watched no more.

        static wallet   live ............................................  one gap: its beginning
        added wallet            add -> live -> orders -> remove -> order
    """
    common: dict[str, Any] = {"kafka": kafka.bootstrap, "topic_prefix": topic_prefix, "partitions": 2}
    tools = KafkaSettings.model_validate(common)
    async with Simulator(Config()) as simulator:
        ours = {"provider": "simulator", "api_key": "dev-k", "ws_url": simulator.ws_url("{key}"), "tier": "dev"}
        quick = {"settle": 0.5, "checkpoint_interval": 0.2, "ping_interval": 0.2, "wallets": WALLET}
        async with connector(Settings.model_validate(common | ours | quick)), asyncio.timeout(60):
            while not simulator.stats()["subscriptions"]:  # noqa: ASYNC110 - a simulator has no event for it
                await asyncio.sleep(0.05)
            assert await watch(tools, "add", ADDED, "--label", "new") == 0
            numbers = count(1)
            written = time.monotonic()
            while not deliveries(simulator):
                await simulator.execute([first_order(ADDED, f"0x{next(numbers):064x}")])
                await asyncio.sleep(0.02)
            assert time.monotonic() - written < 1.0
            assert await watch(tools, "list", "--wait-live", "20") == 0
            assert f"{ADDED}  new" in (shown := capsys.readouterr().out), shown
            assert "(by settings)" in shown
            assert await watch(tools, "remove", ADDED) == 0
            while await wallets(tools, capsys) != [WALLET]:  # noqa: ASYNC110 - a topic has no event
                await asyncio.sleep(0.1)
            before = deliveries(simulator)
            await simulator.execute([first_order(ADDED, f"0x{next(numbers):064x}")])
            await simulator.settled()
            assert deliveries(simulator) == before
    gaps = [decode_gap(record.value) for record in await read_all(kafka.bootstrap, f"{topic_prefix}gaps.v1")]
    for wallet in (ADDED, WALLET):
        assert len({gap.gap_id for gap in gaps if gap.wallet == wallet}) == 1, gaps
    orders = await read_all(kafka.bootstrap, f"{topic_prefix}orders.v1")
    assert len({record.value for record in orders}) == len(orders) >= before


async def wallets(settings: KafkaSettings, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the wallets that are on the list or watched."""
    capsys.readouterr()
    assert await watch(settings, "list", "--json") == 0
    out = capsys.readouterr().out
    return [row["wallet"] for row in json.loads(out[out.index("[\n") :])]  # after what the connector logs
