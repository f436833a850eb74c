"""
Writes checkpoints to `coverage.v1` and reports to `gaps.v1`, in an order that a crash cannot turn into a lie. Shell.

- A checkpoint follows the acknowledgements of the orders it covers.
- It names an open gap before the gap is reported, so that whoever takes over goes on with the same gap.
- A gap is reported closed before a checkpoint forgets it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import structlog

from connector.contract.coverage import CoverageRecord
from connector.contract.gap import GapRecord
from connector.contract.keys import wallet_key
from connector.contract.record import encode
from connector.contract.topics import COVERAGE, GAPS
from connector.intake import Outgoing
from connector.metrics import UNREAD, Metrics
from connector.process.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator

    from connector.publisher import Publisher

_TICK = 0.25
"""Seconds; changes wait so long for each other."""
_PER_SECOND = 500
"""Routine checkpoints; with more wallets each waits longer for its turn."""
_ENDED = frozenset({"closed", "unrecoverable"})

log = structlog.get_logger(__name__)


class Page(msgspec.Struct):
    """What is written together, as it was at one moment."""

    checkpoints: dict[str, CoverageRecord | None] = msgspec.field(default_factory=dict)
    """None: a tombstone."""
    reports: list[GapRecord] = msgspec.field(default_factory=list)

    def forget(self, wallets: Collection[str]) -> None:
        """Leave wallets out that are not ours any more."""
        self.checkpoints = {wallet: each for wallet, each in self.checkpoints.items() if wallet not in wallets}
        self.reports = [report for report in self.reports if report.wallet not in wallets]


class Ledger:
    """
    Collects what changed and writes it in turns.

    Args:
        publisher: Where records go.
        checkpoint: Returns a wallet's checkpoint; None: not now, or not any more.
        may_write: Whether we are sure to own our wallets.
        interval: Seconds between two routine checkpoints of a wallet, at least.
        metrics: Told of gaps that were reported.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        checkpoint: Callable[[str], CoverageRecord | None],
        may_write: Callable[[], bool],
        interval: float,
        metrics: Metrics = UNREAD,
    ) -> None:
        self._publisher = publisher
        self._checkpoint = checkpoint
        self._may_write = may_write
        self._interval = interval
        self._metrics = metrics.coverage
        self._clock = asyncio.get_running_loop().time
        self.moved_at = self._clock()
        """When it wrote at last, or looked whether it may, by the loop's clock."""
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._reports: list[GapRecord] = []
        self._dirty: dict[str, None] = {}
        self._erased: set[str] = set()
        self._writing: list[Page] = []
        self._digests = {state: Digest(_log) for state in ("opened", "closed", "unrecoverable")}
        self._written: dict[str, float] = {}
        """Wallet -> when its checkpoint was written, oldest first."""

    def report(self, reports: Iterable[GapRecord]) -> None:
        """Take reports of gaps; their wallets' checkpoints are written with them."""
        for report in reports:
            self._reports.append(report)
            self._dirty[report.wallet] = None
            self._erased.discard(report.wallet)  # it was added again
            self._changed.set()

    def touch(self, wallets: Iterable[str]) -> None:
        """Have the checkpoints of these wallets written soon."""
        self._dirty.update(dict.fromkeys(wallets))
        self._changed.set()

    def forget(self, wallets: Iterable[str]) -> None:
        """Stop writing of wallets that are not ours any more."""
        gone = set(wallets)
        self._reports = [report for report in self._reports if report.wallet not in gone]
        for page in self._writing:
            page.forget(gone)
        for wallet in gone:
            self._dirty.pop(wallet, None)
            self._erased.discard(wallet)
            self._written.pop(wallet, None)

    def erase(self, wallet: str) -> None:
        """End the checkpoints of a wallet that is no longer watched."""
        self._written.pop(wallet, None)
        self._erased.add(wallet)
        self.touch([wallet])

    async def run(self) -> None:
        """Write what changed, and routine checkpoints; never returns."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._changed.wait()
            await asyncio.sleep(_TICK / 10)  # what changes together is written together
            self._changed.clear()
            self.moved_at = self._clock()
            if self._may_write():
                await self.write(self.page(self._due()))

    def page(self, wallets: Iterable[str] = ()) -> Page:
        """Return what is to be written now: of these wallets, and all that was taken before."""
        page, later = Page(), dict.fromkeys([*self._dirty, *wallets])
        for wallet in list(later):
            checkpoint = self._checkpoint(wallet)
            if checkpoint is None and wallet not in self._erased:
                continue
            page.checkpoints[wallet] = checkpoint
            self._erased.discard(wallet)
            del later[wallet]
        page.reports = [report for report in self._reports if report.wallet in page.checkpoints]
        self._reports = [report for report in self._reports if report.wallet not in page.checkpoints]
        self._dirty = {wallet: None for wallet in later if wallet in self._dirty}
        return page

    async def write(self, page: Page, *, after: Callable[[], Awaitable[None]] | None = None) -> None:
        """Write a page, in order, `after` that; what is interrupted is written later, from the beginning."""
        written = False
        self._writing.append(page)
        try:
            if after is not None:
                await after()
            async with self._turn:
                written = await self._write(page)
        finally:
            self._writing = [each for each in self._writing if each is not page]
            if not written:
                self._put_back(page)

    def _put_back(self, page: Page) -> None:
        erased = {wallet for wallet, checkpoint in page.checkpoints.items() if checkpoint is None}
        self._erased |= erased.difference(self._dirty)  # those were added again meanwhile
        self._reports = [*page.reports, *self._reports]
        self._dirty = dict.fromkeys([*page.checkpoints, *self._dirty])

    async def _write(self, page: Page) -> bool:
        """Return whether it was written: while we waited, our wallets may have become somebody else's."""
        if not page.checkpoints:
            return True
        await self._publisher.barrier()
        if not self._may_write():
            return False
        ended = {report.gap_id: report for report in page.reports if report.state in _ENDED}
        # Of a gap that ended meanwhile the end says all; to report its opening first would be one more step to fail at.
        await self._publish_gaps(page, lambda report: ended.get(report.gap_id) is report)
        await self._publish_coverage(page)
        await self._publish_gaps(page, lambda report: report.gap_id not in ended)
        self._count(page.reports)
        self._log(page.reports)
        return True

    def _count(self, reports: Iterable[GapRecord]) -> None:
        for report in reports:
            if report.state == "opened":
                self._metrics.gaps.labels(report.cause).inc()
            elif report.state in _ENDED:
                self._metrics.gaps_closed.labels(report.state).inc()

    def _log(self, reports: Iterable[GapRecord]) -> None:
        """Say what happened once for all wallets that it happened to together; gaps that are being filled are quiet."""
        for state in ("opened", "closed", "unrecoverable"):
            self._digests[state].add(report for report in reports if report.state == state)

    def _due(self) -> list[str]:
        """Return the wallets whose turn it is: evenly spread, for a burst of them would delay live orders."""
        before = self._clock() - self._interval
        most = min(1 + len(self._written) * _TICK / self._interval, _PER_SECOND * _TICK)
        due: list[str] = []
        for wallet, written in self._written.items():
            if written > before or len(due) >= most:
                break
            due.append(wallet)
        return due

    async def _publish_gaps(self, page: Page, chosen: Callable[[GapRecord], bool]) -> None:
        def records() -> Iterator[Outgoing]:
            for report in list(page.reports):
                if chosen(report) and report.wallet in page.checkpoints:
                    yield Outgoing(GAPS, wallet_key(report.wallet), encode(report), None)

        await self._publisher.publish_all(records())
        await self._publisher.barrier()

    async def _publish_coverage(self, page: Page) -> None:
        def records() -> Iterator[Outgoing]:
            for wallet, checkpoint in list(page.checkpoints.items()):
                if wallet in page.checkpoints:
                    yield Outgoing(
                        COVERAGE, wallet_key(wallet), None if checkpoint is None else encode(checkpoint), None
                    )

        await self._publisher.publish_all(records())
        await self._publisher.barrier()
        now = self._clock()
        for wallet, checkpoint in page.checkpoints.items():
            self._written.pop(wallet, None)
            if checkpoint is not None:
                self._written[wallet] = now


def _log(reports: Iterable[GapRecord]) -> None:
    together: dict[tuple[str, str], list[GapRecord]] = {}
    for report in reports:
        together.setdefault((report.state, report.cause), []).append(report)
    for (state, cause), each in together.items():
        recovered = sum(report.recovered for report in each)
        if state == "unrecoverable":
            log.error("gaps.unrecoverable", cause=cause, gaps=[(one.wallet, one.gap_id, one.detail) for one in each])
        else:
            log.info(f"gaps.{state}", cause=cause, wallets=len(each), recovered=recovered)  # noqa: G004 - two names
