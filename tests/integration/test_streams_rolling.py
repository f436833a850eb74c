"""A rolling restart of three workers under load, with names of their own and without, measured side by side."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from connector.kafka.reader import read_all
from streams.settings import SHIPPED_RULES
from tests.support.feed import feed, mixed_rows
from tests.support.pauses import Outputs, Span
from tests.support.status import StatusClient
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.local.broker import LocalKafka
    from tests.support.workers import WorkerProcess

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

WORKERS = 3
PARTITIONS = 6
RATE = 80.0
BEFORE_S = 10.0
"""How long the load runs undisturbed, for comparison."""

SETTINGS = {"PARTITIONS": str(PARTITIONS), "SESSION_TIMEOUT": "60"}
"""A static worker has to be back within its session; one without a name leaves, so its session does not matter."""


class Member(NamedTuple):
    """A worker, and who asks it."""

    worker: WorkerProcess
    status: StatusClient

    async def rebalances(self) -> float:
        """Return how often the group has assigned it partitions."""
        return (await self.status.metrics()).total("walletstream_streams_rebalances_total")

    async def caught_up(self) -> None:
        """Wait until it has folded what came while it was away, and has published since."""
        async with asyncio.timeout(60.0):
            while not all(lag < RATE for lag in (await self.status.metrics()).values(LAG)):  # noqa: ASYNC110  # a scrape has no event
                await asyncio.sleep(0.1)
            published = (await self.status.metrics()).total(STATISTICS, topic="orders")
            while (await self.status.metrics()).total(STATISTICS, topic="orders") < published + RATE:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def partitions(self) -> set[int]:
        """Return the partitions of the orders that it has."""
        metrics = await self.status.metrics()
        return {each for each in range(PARTITIONS) if metrics.values(OFFSET, topic="orders", partition=str(each))}


LAG = "walletstream_streams_lag_records"
OFFSET = "walletstream_streams_remembered_offset"
STATISTICS = "walletstream_streams_statistics_total"


class Restart(NamedTuple):
    """One worker restarted."""

    span: Span
    own: set[int]
    """Partitions of the orders that it had before."""
    others_rebalances: float


class Measured(NamedTuple):
    """What a rolling restart cost. Times in seconds."""

    before: float
    """Longest silence of a partition under the same load, undisturbed."""
    own: float
    """Longest silence of a partition whose worker was restarted, about that time."""
    others: float
    """Longest silence of the other partitions meanwhile."""
    rebalances: float
    """Seen by the workers that were not restarted, summed up."""
    wrong: list[str]
    """Statistics that differ from the oracle's: what was lost or counted twice."""


async def test_a_rolling_restart_stops_nobody_else_and_loses_nothing(
    kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    With names the other workers' partitions flow on, without they stop twice for each restart; nothing is lost.

        w-0   ---- SIGTERM start ready ------------------------------------------------
        w-1   ----------------------------- SIGTERM start ready ------------------------
        w-2   ------------------------------------------------------ SIGTERM start ready
    """
    static = await rolled(kafka.bootstrap, f"{topic_prefix}static.", named=True)
    dynamic = await rolled(kafka.bootstrap, f"{topic_prefix}dynamic.", named=False)
    with capsys.disabled():
        print(table({"static": static, "dynamic": dynamic}))  # noqa: T201 - this is what is measured
    assert static.wrong == dynamic.wrong == []
    assert static.rebalances == 0
    assert dynamic.rebalances >= WORKERS * (WORKERS - 1)


async def rolled(bootstrap: str, prefix: str, *, named: bool) -> Measured:
    """Restart one worker after the other under load."""
    await prepare(bootstrap, prefix, PARTITIONS)
    run = StreamsRun(bootstrap, prefix=prefix, rules=SHIPPED_RULES, settings=SETTINGS)
    stop = asyncio.Event()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        members = [await started(stack, run, number, named=named) for number in range(WORKERS)]
        for member in members:
            await member.status.until("/readyz", 200)
        rows = mixed_rows(20_000, seed=11)
        feeding = tasks.create_task(feed(bootstrap, run.topics.orders, rows, rate=RATE, seed=11, stop=stop))
        await asyncio.sleep(3.0)
        calm = Span(now_ms(), now_ms() + BEFORE_S * 1_000)
        await asyncio.sleep(BEFORE_S)
        restarts = [await restarted(members, number) for number in range(WORKERS)]
        await asyncio.sleep(3.0)
        assert not feeding.done()
        stop.set()
        await feeding
        await run.settled()
    outputs = Outputs(await read_all(bootstrap, run.topics.wallet_stats))
    return measured(outputs, calm, restarts, await run.wrong_statistics())


async def started(stack: AsyncExitStack, run: StreamsRun, number: int, *, named: bool) -> Member:
    """Start a worker that is asked for its status."""
    status = await stack.enter_async_context(StatusClient())
    settings = {"STATUS_ADDRESS": status.address} | ({"GROUP_INSTANCE_ID": f"w-{number}"} if named else {})
    worker = run.worker(f"w-{number}", members=number + 1, settings=settings)
    return Member(await stack.enter_async_context(worker), status)


async def restarted(members: Sequence[Member], number: int) -> Restart:
    """Restart a worker and wait until all are ready, as an orchestrator does."""
    others = [member for each, member in enumerate(members) if each != number]
    own = await members[number].partitions()
    before = sum([await other.rebalances() for other in others])
    begin = now_ms()
    assert await members[number].worker.term() == 0
    await members[number].worker.start(wait=False)
    for member in members:
        await member.status.until("/readyz", 200)
    after = sum([await other.rebalances() for other in others])
    span = Span(begin, now_ms())
    await members[number].caught_up()  # a pause that reaches into the next restart would seem to be of that one
    return Restart(span, own, after - before)


def measured(outputs: Outputs, calm: Span, restarts: Sequence[Restart], wrong: list[str]) -> Measured:
    """Return what these restarts cost."""
    everything = set(range(PARTITIONS))
    return Measured(
        before=outputs.pause(everything, calm) / 1_000,
        own=max(outputs.pause(each.own, each.span) for each in restarts) / 1_000,
        others=max(outputs.pause(everything - each.own, each.span) for each in restarts) / 1_000,
        rebalances=sum(each.others_rebalances for each in restarts),
        wrong=wrong,
    )


def table(rows: Mapping[str, Measured]) -> str:
    """Return the measurements as text."""
    lines = [
        f"\n{'longest pause of a partition, s':<32}{'before':>8}{'restarted':>11}{'others':>8}   rebalances  wrong"
    ]
    lines += [
        f"{name:<32}{row.before:>8.2f}{row.own:>11.2f}{row.others:>8.2f}{row.rebalances:>13.0f}{len(row.wrong):>7}"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def now_ms() -> float:
    """Return the time that records are stamped with."""
    return time.time_ns() / 1e6
