"""
One gap of one wallet, from its opening to its end.

    opened -> filling -> closed | unrecoverable

It ends when a socket delivers the wallet again and a later complete pass over the whole interval, `settle` after its
end, found nothing new. Evidence of a transaction that REST never showed makes it unrecoverable.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from connector.contract.coverage import OpenGap
from connector.contract.gap import Cause, GapRecord, GapState

_FIRST_RETRY_MS = 1_000
_LAST_RETRY_MS = 60_000
_MOST_DOUBLINGS = 10
_SHOWN = 10


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Times in milliseconds."""

    overlap_ms: int
    """Fetched before and after a gap: times are whole seconds, and orders reach sockets late."""
    settle_ms: int
    """REST may show an order this late."""
    poll_ms: int
    """Between passes while no socket delivers the wallet."""
    verify_ms: int
    """Between routine comparisons with REST; 0: none."""
    give_up_ms: int
    """Of failing passes, until the gap is unrecoverable."""

    @property
    def patience_ms(self) -> int:
        """How long REST has to show a transaction of which there is evidence."""
        return max(4 * self.settle_ms, 60_000)


class Task(msgspec.Struct, frozen=True):
    """A pass to make: compare a wallet's orders in [start, end] with REST."""

    wallet: str
    start_ms: int
    end_ms: int
    began_ms: int
    gap_id: str | None
    """None: a routine comparison."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass found."""

    failure: str | None = None
    """Why it did not get to its end."""
    recovered: int = 0
    """Orders it published."""
    known: int = 0
    """Rows that were published already."""
    transactions: frozenset[str] = frozenset()
    """Of those there was evidence of, the ones REST showed."""


class Ending(msgspec.Struct, frozen=True):
    """How a gap ends."""

    state: Literal["closed", "unrecoverable"]
    detail: str | None = None


class Gap(msgspec.Struct, kw_only=True):
    """State of a gap; whoever holds it decides when passes begin."""

    id: str
    cause: Cause
    start_ms: int
    end_ms: int | None
    """None while no socket delivers the wallet."""
    opened_ms: int
    """Or taken over."""
    recovered: int = 0
    duplicates: int = 0
    evidence: set[str] = msgspec.field(default_factory=set)
    filling: bool = False
    _again: bool = False
    """Whether a complete pass was made since it grew."""
    _previous_ms: int | None = None
    """When the last complete pass began."""
    _settled_ms: int = 0
    """Up to here a second pass found nothing new: not asked again."""
    _failing_since_ms: int | None = None
    _failures: int = 0
    _grown_ms: int | None = None
    """Down to where it grew since the pass under way began."""

    def grow(self, start_ms: int, end_ms: int | None) -> None:
        """Take in another interval in which orders may be missing."""
        self.start_ms = min(self.start_ms, start_ms)
        self.end_ms = None if end_ms is None or self.end_ms is None else max(self.end_ms, end_ms)
        self._grew(start_ms)

    def reach(self, end_ms: int) -> None:
        """End the interval: a socket delivers the wallet again."""
        self.end_ms = end_ms
        self._grew(end_ms)

    def turn_back(self, by_ms: int) -> None:
        """Correct all times."""
        self.start_ms -= by_ms
        self.opened_ms -= by_ms
        self.end_ms = None if self.end_ms is None else self.end_ms - by_ms
        self._failing_since_ms = None if self._failing_since_ms is None else self._failing_since_ms - by_ms
        self._again, self._previous_ms, self._settled_ms = False, None, 0

    def begin(self, wallet: str, policy: Policy, now_ms: int, *, since_ms: int = 0) -> Task:
        """Return the pass to make now; orders executed before `since_ms` are not wanted."""
        self._grown_ms, self.filling = None, True
        start = max(self.start_ms, self._settled_ms) - policy.overlap_ms
        end = (now_ms if self.end_ms is None else self.end_ms) + policy.overlap_ms
        return Task(wallet, max(start, since_ms), max(end, since_ms), now_ms, self.id)

    def judge(self, task: Task, outcome: Outcome, policy: Policy, now_ms: int) -> int | Ending:
        """Return when the next pass is due, or how the gap ends."""
        self.recovered += outcome.recovered
        self.duplicates = max(self.duplicates, outcome.known)
        self.evidence -= outcome.transactions
        if outcome.failure is not None:
            return self._failed(outcome.failure, policy, now_ms)
        self._failing_since_ms, self._failures = None, 0
        if not outcome.recovered:
            self._settle(policy)
        self._previous_ms = task.began_ms
        if self._grown_ms is not None:
            return now_ms
        again, self._again = self._again, True
        if outcome.recovered:
            return now_ms + policy.settle_ms
        if self.end_ms is None:
            return now_ms + policy.poll_ms
        if not again:
            return max(self.end_ms + policy.settle_ms, now_ms)
        return self._ending(task, self.end_ms, policy, now_ms)

    def report(self, wallet: str, state: GapState, *, owner: str, now_ms: int, detail: str | None = None) -> GapRecord:
        """Return the record that reports it."""
        ended = state in ("closed", "unrecoverable")
        return GapRecord(
            gap_id=self.id,
            wallet=wallet,
            state=state,
            cause=self.cause,
            start_ms=self.start_ms,
            end_ms=now_ms if ended and self.end_ms is None else self.end_ms,
            recovered=self.recovered,
            duplicates=self.duplicates,
            detail=detail,
            owner=owner,
            at_ms=now_ms,
        )

    def open_gap(self) -> OpenGap:
        """Return what a checkpoint says of it."""
        return OpenGap(
            gap_id=self.id,
            cause=self.cause,
            start_ms=self.start_ms,
            recovered=self.recovered,
            duplicates=self.duplicates,
        )

    def _grew(self, start_ms: int) -> None:
        self._again = False
        self._settled_ms = min(self._settled_ms, start_ms)
        self._grown_ms = start_ms if self._grown_ms is None else min(self._grown_ms, start_ms)

    def _settle(self, policy: Policy) -> None:
        """Ask no more for what a second pass confirmed, so that a gap that grows on and on does not ask for it all."""
        if self._previous_ms is not None and not self.evidence:
            settled_ms = self._previous_ms - policy.settle_ms
            if self._grown_ms is not None:
                settled_ms = min(settled_ms, self._grown_ms)
            self._settled_ms = max(self._settled_ms, settled_ms)

    def _ending(self, task: Task, end_ms: int, policy: Policy, now_ms: int) -> int | Ending:
        if not self.evidence:
            return Ending("closed")
        if task.began_ms < end_ms + policy.patience_ms:
            return now_ms + policy.settle_ms
        return Ending("unrecoverable", f"REST never showed {', '.join(sorted(self.evidence)[:_SHOWN])}")

    def _failed(self, failure: str, policy: Policy, now_ms: int) -> int | Ending:
        if self._failing_since_ms is None:
            self._failing_since_ms = now_ms
        self._failures += 1
        if self.end_ms is not None and now_ms - self._failing_since_ms >= policy.give_up_ms:
            return Ending("unrecoverable", f"REST failed all the time: {failure}")
        return now_ms + min(_LAST_RETRY_MS, _FIRST_RETRY_MS << min(self._failures - 1, _MOST_DOUBLINGS))


def reopened(former: OpenGap, start_ms: int, now_ms: int) -> Gap:
    """Return the gap that a checkpoint told of; no socket delivers the wallet yet."""
    return Gap(
        id=former.gap_id,
        cause=former.cause,
        start_ms=min(former.start_ms, start_ms),
        end_ms=None,
        opened_ms=now_ms,
        recovered=former.recovered,
        duplicates=former.duplicates,
    )
