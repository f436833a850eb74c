"""A connector with few and with many watched wallets: how long until all are live, its memory, what an order costs."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]

from connector.contract.topics import CONNECTOR_TOPICS
from connector.kafka.admin import ensure_topics
from connector.simulator import Config, Simulator
from tests.bench.systems import PARTITIONS
from tests.chaos.live import subscribed
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from tests.bench.systems import Bench

RATE = 500.0
_KEY = "dev-bench"
_POLL_S = 0.05
_LIVE_S = 180.0
_SETTLE_S = 2.0


async def repetition(bench: Bench, *, prefix: str, wallets: int, seconds: float) -> dict[str, Any]:
    """Watch the simulator's wallets, let them trade for some seconds, and return the figures."""
    await ensure_topics(bench.kafka, [spec.prefixed(prefix) for spec in CONNECTOR_TOPICS], partitions=PARTITIONS)
    watched = bench.folder / f"{prefix}wallets.txt"
    async with Simulator(Config(market=7, rate=RATE, burst=1, wallets=wallets, paused=True)) as simulator:
        watched.write_text("\n".join(simulator.wallets))
        settings = {
            "PROVIDER": "simulator", "WS_URL": simulator.ws_url("{key}"), "API_KEY": _KEY, "TIER": "dev",
            "WALLETS_FILE": str(watched), "KAFKA": bench.kafka, "TOPIC_PREFIX": prefix, "PARTITIONS": str(PARTITIONS),
        }  # fmt: skip
        began = time.perf_counter()
        async with WorkerProcess(
            [sys.executable, "-m", "connector"], settings, name="connector", folder=bench.folder
        ) as process:
            async with asyncio.timeout(_LIVE_S):
                while len(subscribed(simulator).get(_KEY, ())) < wallets:
                    process.check()
                    await asyncio.sleep(_POLL_S)
            live_s = time.perf_counter() - began
            await asyncio.sleep(_SETTLE_S)
            before = process.cpu_seconds()
            simulator.play()
            await asyncio.sleep(seconds)
            simulator.pause()
            await simulator.settled()
            await asyncio.sleep(_SETTLE_S)
            orders = len(simulator.book.orders)
            cpu_us = (process.cpu_seconds() - before) / orders * 1e6
            held = psutil.Process(process.pid).memory_info().rss
    return {"wallets": wallets, "live_s": live_s, "rss_mib": held / 2**20, "cpu_us_per_order": cpu_us, "orders": orders}
