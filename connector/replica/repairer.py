"""Compares wallets with REST where orders may be missing, and publishes what was. Shell."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog
from aiokafka.errors import KafkaError

from connector.contract.errors import InvalidOrder
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance
from connector.coverage import Outcome
from connector.kafka.errors import KafkaShellError
from connector.metrics import UNREAD, Metrics
from connector.process.digest import Digest
from connector.rest import PassFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.contract.order import Order
    from connector.coverage import Coverage, Task
    from connector.intake import Intake
    from connector.paging import Page
    from connector.publisher import Publisher
    from connector.replica.ledger import Ledger
    from connector.replica.shard import Shard
    from connector.replica.topics import Topics
    from connector.rest import RestClient

_MARGIN_MS = 60_000
"""Orders are looked for in the topic from so much before their time on: the broker's clock may be behind."""
_NOT_NOW_MS = 500
_DEEPENING = 600.0
"""Seconds for reading one wallet's older orders from the topic."""
_YIELD = 50
"""Rows that are parsed at a stretch."""

log = structlog.get_logger(__name__)


class Owned(Protocol):
    """What the repairer asks of the replica."""

    def accepting(self, wallet: str) -> Shard | None:
        """Return the wallet's shard if orders may be published to it now."""


class _Given(Exception):
    """The wallet's partition is not ours to publish to at the moment."""


class Repairer:
    """
    Makes the passes that the coverage asks for, several at a time.

    Args:
        concurrency: Passes at a time.
        now_ms: The provider's clock.
        clock_ns: The wall clock, for provenance.
        metrics: Told of what was recovered, known and unreadable.
    """

    def __init__(
        self,
        owned: Owned,
        *,
        coverage: Coverage,
        ledger: Ledger,
        rest: RestClient,
        intake: Intake,
        publisher: Publisher,
        topics: Topics,
        provider: str,
        concurrency: int,
        now_ms: Callable[[], int],
        clock_ns: Callable[[], int] = time.time_ns,
        metrics: Metrics = UNREAD,
    ) -> None:
        self._owned = owned
        self._coverage = coverage
        self._ledger = ledger
        self._rest = rest
        self._intake = intake
        self._publisher = publisher
        self._topics = topics
        self._provider = provider
        self._concurrency = concurrency
        self._now_ms = now_ms
        self._clock_ns = clock_ns
        self._recovered = metrics.coverage.recovered
        self._duplicates = metrics.orders.duplicates.labels("backfill")
        self._dead = metrics.orders.dead
        self._failures = Digest(_log)
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look again for what is due."""
        self._wake.set()

    async def run(self) -> None:
        """Repair; never returns."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._concurrency):
                tasks.create_task(self._work())

    async def _work(self) -> None:
        while True:
            taken = self._coverage.take(self._now_ms())
            if taken is None:
                await self._until_due()
                continue
            task, reports = taken
            self._ledger.report(reports)
            try:
                outcome = await self._pass(task)
            except _Given:
                now_ms = self._now_ms()
                self._coverage.dropped(task, now_ms + _NOT_NOW_MS)
            else:
                self._judge(task, outcome)

    def _judge(self, task: Task, outcome: Outcome) -> None:
        if outcome.failure is not None:
            self._failures.add([(task, outcome.failure)])
        elif outcome.recovered:
            log.debug("repair.recovered", wallet=task.wallet, gap=task.gap_id, orders=outcome.recovered)
        self._ledger.report(self._coverage.passed(task, outcome, self._now_ms()))

    async def _until_due(self) -> None:
        due = self._coverage.next_due()
        wait = None if due is None else max((due - self._now_ms()) / 1000, 0.001)
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._wake.wait()

    async def _pass(self, task: Task) -> Outcome:
        """Make a pass; raises `_Given`."""
        recovered = known = 0
        evidence = self._coverage.evidence(task.wallet)
        shown: set[str] = set()
        failure = None
        try:
            await self._deepen(task)
            async with aclosing(self._rest.sweep(task.wallet, task.start_ms, task.end_ms)) as pages:
                async for page in pages:
                    fresh, old = await self._page(task, page)
                    recovered, known = recovered + fresh, known + old
                    if evidence:
                        shown.update(str(row.get("tx_hash", "")).lower() for row in page.rows)
        except PassFailed as error:
            failure = str(error)
        return Outcome(failure=failure, recovered=recovered, known=known, transactions=evidence & shown)

    async def _page(self, task: Task, page: Page) -> tuple[int, int]:
        """Publish what is new on a page; return how many orders were, and how many were known."""
        provenance = Provenance(
            source="backfill", provider=self._provider, received_ns=self._clock_ns(), gap_id=task.gap_id
        )
        orders = await self._parsed(page, provenance)
        await self._publisher.room()
        shard = self._accepting(task.wallet)
        assert shard.memory is not None  # noqa: S101 - it accepts
        provenance = msgspec.structs.replace(provenance, label=shard.label(task.wallet))
        rows = self._intake.rows(orders, shard.memory, provenance, self._now_ms(), partition=shard.number)
        memory = shard.memory
        self._recovered.inc(len(rows.fresh))
        self._duplicates.inc(rows.known)
        with shard.deciding():
            # With another memory somebody else had the partition meanwhile, and may have published the rest.
            await self._publisher.publish_all(record for record in rows.fresh if shard.memory is memory)
        if rows.forgotten:
            raise PassFailed("forgotten", f"{rows.forgotten} rows older than the memory")
        return len(rows.fresh), rows.known

    async def _parsed(self, page: Page, provenance: Provenance) -> list[Order]:
        orders = []
        for number, row in enumerate(page.rows):
            if number % _YIELD == 0:
                await asyncio.sleep(0)  # live orders go first
            try:
                orders.append(parse_order(row))
            except InvalidOrder as error:
                letter = self._intake.row_dead(row, error, provenance)
                if letter is not None:
                    log.warning("row.dead", fault=letter.fault)
                    self._dead.labels(letter.reason).inc()
                    await self._publisher.publish(letter)
        return orders

    async def _deepen(self, task: Task) -> None:
        """Read older orders of the wallet from the topic, where the memory does not reach back far enough."""
        shard = self._accepting(task.wallet)
        since_ms = max(task.start_ms - _MARGIN_MS, 0)
        assert shard.memory is not None  # noqa: S101 - it accepts
        if shard.memory.floor_of(task.wallet) <= since_ms:
            return
        older: list[tuple[str, int | None]] = []
        try:
            async with asyncio.timeout(_DEEPENING):
                await self._topics.orders(
                    shard.number,
                    lambda each: older.append((each.event_id, each.log_index)) if each.wallet == task.wallet else None,
                    since_ms=since_ms,
                    end=shard.end,
                )
        except (KafkaError, KafkaShellError, TimeoutError) as error:
            raise PassFailed("forgotten", f"the topic cannot be read: {type(error).__name__} {error}") from error
        if not shard.memory.deepened(task.wallet, since_ms, older, self._now_ms()):
            raise PassFailed("forgotten", f"{len(older)} orders are more than DEDUPE_SIZE holds")

    def _accepting(self, wallet: str) -> Shard:
        shard = self._owned.accepting(wallet)
        if shard is None:
            raise _Given
        return shard


def _log(failures: list[tuple[Task, str]]) -> None:
    """Name the latest of the passes that failed lately; while REST is away there are many."""
    task, error = failures[-1]
    log.warning("repair.failed", passes=len(failures), wallet=task.wallet, gap=task.gap_id, error=error)
