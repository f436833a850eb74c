"""What orders go through when something happens: a worker dies, another one joins, the garbage collector runs."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import orjson

from streams.topics import ALERTS
from tests.bench import rules
from tests.bench.latency import Collector, Prepared, figures
from tests.bench.sender import Sender
from tests.bench.systems import connector, ours, worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.bench.loads import Load
    from tests.bench.systems import Bench, Running

    Event = Callable[[Bench, str, Running], Awaitable[None]]

_SETTLE_S = 1.5
_STAYS_S = 5.0
_QUIET_S = 15.0
"""Longer than a session: whoever was killed is missed only then."""


async def dies(_bench: Bench, _prefix: str, running: Running) -> None:
    """Kill the worker, and start it again at once."""
    _, working = running.processes
    await working.kill()
    await working.start(wait=False)


async def joins(bench: Bench, prefix: str, _running: Running) -> None:
    """Let a second worker come, and go again after a while."""
    second = worker(bench, prefix, bench.folder / "every-order.yaml")
    await second.start(wait=False)
    try:
        await asyncio.sleep(_STAYS_S)
        await second.term()
    finally:
        await second.kill()


async def nothing(_bench: Bench, _prefix: str, _running: Running) -> None:
    """Let nothing happen: what the others are compared with."""


EVENTS: dict[str, Event] = {
    "nothing happens": nothing,
    "the worker is killed and started again": dies,
    "a second worker joins and leaves": joins,
}


async def moment(
    bench: Bench, event: Event, *, prefix: str, load: Load, seconds: float, warm_up_s: float
) -> dict[str, Any]:
    """Let something happen after a third of `seconds`; return the latencies of all orders from the warm-up on."""
    prepared = Prepared.of(load, seconds=seconds, warm_up_s=warm_up_s)
    async with Sender() as sender, ours(bench, prefix=prefix, url=sender.url, wallets=prepared.wallets) as running:
        await asyncio.sleep(_SETTLE_S)
        async with Collector(bench.kafka, running.topic) as collector, asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(sender.send(prepared.frames, load))
            await asyncio.sleep(warm_up_s + seconds / 3)
            await event(bench, prefix, running)
            sent = await sending
            await collector.quiet(_QUIET_S)
    return figures(prepared.measured(sent), collector.arrivals)


async def collections(bench: Bench, *, prefix: str, load: Load, seconds: float) -> dict[str, float]:
    """Return how the garbage collector stops a worker under a load."""
    prepared = Prepared.of(load, seconds=seconds)
    async with Sender() as sender, _watched(bench, prefix, sender.url, prepared.wallets) as log:
        await asyncio.sleep(_SETTLE_S)
        async with Collector(bench.kafka, prefix + ALERTS.name) as collector:
            sent = await sender.send(prepared.frames, load)
            await collector.until(len(sent))
    found: dict[str, float] = orjson.loads(log().rstrip().rpartition("\n")[2])
    return found


@asynccontextmanager
async def _watched(bench: Bench, prefix: str, url: str, wallets: list[str]) -> AsyncIterator[Callable[[], str]]:
    """Run connector and worker, the latter with its pauses measured; yield what reads its log after its end."""
    working = worker(
        bench,
        prefix,
        rules.every_order(bench.folder / "every-order.yaml"),
        python=(sys.executable, "-m", "tests.bench.pauses"),
    )
    async with working, connector(bench, prefix, url, wallets):
        yield working.log.read_text
        await working.term()
