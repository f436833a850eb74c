"""Replicas under test, in this process or in their own, and the book of the simulator held against their topics."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from connector.contract.coverage import CoverageRecord, decode_coverage
from connector.contract.gap import GapRecord, decode_gap
from connector.contract.identity import content_id, event_id
from connector.contract.order import parse_order
from connector.contract.provenance import read_provenance
from connector.contract.record import decode_order
from connector.kafka.errors import TopicMissing
from connector.kafka.reader import read_all
from connector.service import serve
from connector.settings import Settings
from tests.support.child import started

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from pathlib import Path

    from aiokafka import ConsumerRecord

    from connector.local.broker import LocalKafka
    from connector.simulator import Book, Simulator

KEY = "dev-s3cr3t-k3y"
ENDED = ("closed", "unrecoverable")
PATIENCE_S = 60.0


async def until(condition: Callable[[], object], *, seconds: float = PATIENCE_S) -> None:
    """Wait for something that is only told when asked."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.02)


def settings(kafka: LocalKafka, prefix: str, simulator: Simulator, **changes: Any) -> dict[str, Any]:
    """Return settings of a replica that is impatient enough for a test, as values or for the environment."""
    return {
        "provider": "simulator",
        "api_key": KEY,
        "ws_url": simulator.ws_url("{key}"),
        "tier": "dev",
        "kafka": kafka.bootstrap,
        "topic_prefix": prefix,
        "partitions": 4,
        "replica_name": "a",
        "session_timeout": 6.0,
        "rebalance_timeout": 6.0,
        "checkpoint_interval": 0.5,
        "overlap": 5.0,
        "settle": 1.0,
        "verify_interval": 0.0,
        "poll_interval": 1.0,
        "ack_timeout": 0.5,
        "backoff_base": 0.05,
        "backoff_cap": 0.2,
        "rest_share": 1.0,
        "rest_timeout": 2.0,
    } | changes


@asynccontextmanager
async def replica(
    kafka: LocalKafka, prefix: str, simulator: Simulator, **changes: Any
) -> AsyncIterator[asyncio.Task[None]]:
    """Run a replica in this process, and stop it in good form; what fails it, fails the test."""
    stop = asyncio.Event()
    serving = asyncio.create_task(
        serve(Settings.model_validate(settings(kafka, prefix, simulator, **changes), strict=False), stop)
    )
    try:
        yield serving
    finally:
        stop.set()
        await serving


@asynccontextmanager
async def replica_process(folder: Path, module: str = "connector", **values: Any) -> AsyncIterator[Process]:
    """Start `python -m MODULE` with these settings and no others; its words go to a file in `folder`."""
    async with started(folder, module, settings=values, log=folder / f"{values['replica_name']}.log") as process:
        yield process


class Topics:
    """What the topics of a deployment held when they were read."""

    def __init__(
        self,
        orders: Iterable[ConsumerRecord],
        gaps: Iterable[ConsumerRecord],
        coverage: Iterable[ConsumerRecord],
    ) -> None:
        self.orders = []
        self.labels: dict[str, str | None] = {}
        """What an order's wallet was called when it was published, by event id."""
        for record in orders:
            order = decode_order(record.value)
            self.orders.append(order)
            if record.headers:  # strangers write none
                self.labels[order.event_id] = read_provenance(record.headers).label
        self.counts = Counter(order.event_id for order in self.orders)
        self.gaps: defaultdict[str, list[GapRecord]] = defaultdict(list)
        """Reports by gap, in order."""
        for record in gaps:
            report = decode_gap(record.value)
            self.gaps[report.gap_id].append(report)
        self.coverage: dict[str, CoverageRecord | None] = {}
        """The last checkpoint of each wallet; None: a tombstone."""
        for record in coverage:
            value = record.value
            self.coverage[record.key.decode()] = None if value is None else decode_coverage(value)

    @property
    def checkpoints(self) -> list[CoverageRecord]:
        """The last checkpoints of the watched wallets."""
        return [checkpoint for checkpoint in self.coverage.values() if checkpoint is not None]

    @property
    def open(self) -> list[GapRecord]:
        """The last reports of gaps that have not ended."""
        return [reports[-1] for reports in self.gaps.values() if reports[-1].state not in ENDED]

    @property
    def double(self) -> set[str]:
        """Ids of orders that are in the topic more than once."""
        return {event for event, count in self.counts.items() if count > 1}

    def ended(self, cause: str) -> list[GapRecord]:
        """Return the last reports of gaps with this cause that have ended."""
        last = (reports[-1] for reports in self.gaps.values())
        return [report for report in last if report.cause == cause and report.state in ENDED]


async def topics(kafka: LocalKafka, prefix: str) -> Topics:
    """Read the topics."""
    names = ("orders.v1", "gaps.v1", "coverage.v1")
    return Topics(*await asyncio.gather(*(_read(kafka, prefix + name) for name in names)))


async def _read(kafka: LocalKafka, topic: str) -> list[ConsumerRecord]:
    try:
        return await read_all(kafka.bootstrap, topic)
    except TopicMissing:
        return []  # not created yet


def executed(book: Book, wallets: Iterable[str]) -> set[str]:
    """Return the ids of all executed orders of these wallets, the n-th equal fill being number n."""
    watched, counts = set(wallets), Counter[str]()
    for order in book.orders:
        if order.user in watched:
            counts[content_id(parse_order(order.row))] += 1
    return {event_id(content, number) for content, count in counts.items() for number in range(count)}


async def complete(
    kafka: LocalKafka,
    prefix: str,
    book: Book,
    wallets: Iterable[str],
    *,
    cause: str | None = None,
    seconds: float = PATIENCE_S,
    crashed: bool = False,
) -> Topics:
    """
    Wait until every executed order is in the topic and every gap has ended, then return the topics.

    `cause` is of a gap to wait for: its report comes after the orders. `crashed` says that a replica died: if it had
    just closed a gap, and no more, the next one closes it again.

    Raises:
        AssertionError: something is missing for good, double, or was never executed; the message says what.
    """
    expected = executed(book, wallets)

    def enough(now: Topics) -> bool:
        return expected <= now.counts.keys() and not now.open and (cause is None or bool(now.ended(cause)))

    found = await settled(kafka, prefix, enough, seconds=seconds)
    assert not expected - found.counts.keys(), f"missing: {described(book, expected - found.counts.keys())}"
    assert not found.double, f"double: {found.double}"
    assert not found.counts.keys() - expected, f"never executed: {found.counts.keys() - expected}"
    assert not found.open, f"still open: {found.open}"
    if not crashed:
        assert_well_told(found)
    return found


def assert_well_told(found: Topics) -> None:
    """Check the ledger's form: a gap is opened first, or was over at once, and nothing follows its end."""
    for reports in found.gaps.values():
        states = [report.state for report in reports]
        assert states[0] in ("opened", *ENDED), states
        ends = [at for at, state in enumerate(states) if state in ENDED]
        assert not ends or set(states[ends[0] :]) <= set(ENDED), states


async def settled(
    kafka: LocalKafka, prefix: str, enough: Callable[[Topics], object], *, seconds: float = PATIENCE_S
) -> Topics:
    """Return the topics once they are enough, or as they are when the time is over."""
    give_up = asyncio.get_running_loop().time() + seconds
    while True:
        found = await topics(kafka, prefix)
        if enough(found) or asyncio.get_running_loop().time() > give_up:
            return found
        await asyncio.sleep(0.2)


def described(book: Book, missing: Iterable[str]) -> Mapping[str, Any]:
    """Return, for event ids, what became of the deliveries of orders with their contents."""
    contents = {event.partition("-")[0] for event in missing}
    orders = {order.seq: order for order in book.orders if content_id(parse_order(order.row)) in contents}
    fates = defaultdict(list)
    for delivery in book.deliveries:
        if delivery.order in orders:
            fates[delivery.order].append((delivery.connection, delivery.reached, delivery.fault))
    return {f"{seq} of {order.user} at {order.executed_ns / 1e9:.3f}": fates[seq] for seq, order in orders.items()}
