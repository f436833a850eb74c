"""Coverage of a replica's wallets: by which sockets each is delivered, up to when, and its gap if it has one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from connector.coverage.agenda import Agenda
from connector.coverage.gap import Ending, Gap, Task, reopened
from connector.coverage.overview import Overview, overview
from connector.coverage.watched import Live, Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connector.contract.coverage import CoverageRecord, Standing
    from connector.contract.gap import Cause, GapRecord
    from connector.coverage.gap import Outcome, Policy

_STALE_MS = 600_000


class Coverage:
    """
    Coverage of all wallets of a replica.

    A wallet has at most one gap: what goes wrong while it is open makes it grow. Methods return reports for `gaps.v1`,
    in order. Wallets that are not watched are ignored, so late news of one that was removed does no harm.
    """

    def __init__(self, policy: Policy, *, owner: str) -> None:
        self._policy = policy
        self._owner = owner
        self._wallets: dict[str, Watched] = {}
        self._proven: dict[str, int] = {}
        self._agenda = Agenda()
        self._under_way: dict[str, Watched | None] = {}
        """Wallet -> whose pass is under way; None: it proves nothing any more."""
        self._serial = 0

    def __contains__(self, wallet: object) -> bool:
        return wallet in self._wallets

    def gap_id(self, wallet: str) -> str | None:
        """Return the id of the wallet's open gap."""
        state = self._wallets.get(wallet)
        return None if state is None or state.gap is None else state.gap.id

    def evidence(self, wallet: str) -> frozenset[str]:
        """Return the transactions that the wallet's repair should find."""
        state = self._wallets.get(wallet)
        return frozenset() if state is None or state.gap is None else frozenset(state.gap.evidence)

    def watch(
        self,
        wallet: str,
        *,
        since_ms: int | None,
        checkpoint: CoverageRecord | None,
        cause: Cause,
        now_ms: int,
        listed_ms: int | None = None,
    ) -> list[GapRecord]:
        """
        Begin to watch: from its checkpoint on, otherwise from `since_ms`, or from when it was listed, or from now.

        An order is older when it reaches a socket than when it was executed: without `since_ms`, those that may be on
        their way as the watch begins, executed `overlap_ms` before or less, are wanted too.
        """
        if checkpoint is None:
            known = since_ms if since_ms is not None else listed_ms
            start = now_ms if known is None else min(known, now_ms)
            self._wallets[wallet] = state = Watched(
                name=wallet,
                since_ms=start if since_ms is not None else start - self._policy.overlap_ms,
                since_given=known is not None,
                covered_ms=start,
                verified_ms=start,
            )
            return [self._open(state, start, None, "added", now_ms)]
        start, wanted, gap = min(checkpoint.covered_until_ms, now_ms), checkpoint.since_ms or 0, checkpoint.gap
        if since_ms is not None and since_ms < wanted:
            start = wanted = since_ms  # the list was changed while nobody was looking
        self._wallets[wallet] = state = Watched(
            name=wallet,
            since_ms=wanted,
            since_given=True,
            covered_ms=start,
            verified_ms=min(checkpoint.verified_until_ms, start),
            last_order_ms=checkpoint.last_order_ms,
        )
        if gap is not None:
            return [self._enter(state, reopened(gap, start, now_ms), now_ms)]
        return [self._open(state, start, None, "stale-checkpoint" if now_ms - start > _STALE_MS else cause, now_ms)]

    def unwatch(self, wallet: str, now_ms: int) -> list[GapRecord]:
        """End the watch."""
        state = self._forget(wallet)
        if state is None or state.gap is None:
            return []
        return [state.gap.report(wallet, "closed", owner=self._owner, now_ms=now_ms, detail="the watch ended")]

    def release(self, wallets: Iterable[str]) -> None:
        """Forget wallets that another replica takes over; their gaps stay open, for it."""
        for wallet in wallets:
            self._forget(wallet)

    def live(self, socket: str, subscription: str, wallets: Iterable[str], now_ms: int) -> None:
        """Note that a socket delivers these wallets' orders, from now on unless that is known."""
        for state in self._known(wallets):
            if socket in state.sockets:
                continue
            state.sockets[socket], state.standing = Live(now_ms, subscription or None), "down"
            if state.gap is not None and state.gap.end_ms is None:
                state.gap.reach(now_ms)
                self._due(state, now_ms)

    def lost(self, socket: str, wallets: Iterable[str], proven_ms: int, cause: Cause, now_ms: int) -> list[GapRecord]:
        """Note that a socket does not deliver them any more, nor did for sure since `proven_ms`."""
        self.proven(socket, proven_ms)  # not every proof was told
        reports = []
        for state in self._known(wallets):
            state.cover(self._proven)  # as far as it was proven by this socket too
            gone = state.sockets.pop(socket, None)
            if gone is None:
                continue
            state.standing = "refused" if cause == "refused" else "down"
            start = max(proven_ms, gone.since_ms)
            end = min((each.since_ms for each in state.sockets.values()), default=None)
            if end is None or end > start or state.gap is not None:
                reports += self._missing(state, start, end, cause, now_ms)
        return reports

    def doubt(
        self, wallets: Iterable[str], interval: tuple[int, int], cause: Cause, now_ms: int, evidence: Iterable[str] = ()
    ) -> list[GapRecord]:
        """Note that orders of these wallets may be missing in an interval; `evidence` names transactions."""
        start_ms, end_ms = interval
        reports = []
        for state in self._known(wallets):
            if cause == "added":
                state.since_ms = min(state.since_ms, start_ms)
            reports += self._missing(state, start_ms, end_ms if state.sockets else None, cause, now_ms)
            if state.gap is not None:
                state.gap.evidence.update(evidence)
        return reports

    def refused(self, wallets: Iterable[str], standing: Standing) -> None:
        """Note why no socket delivers these wallets."""
        for state in self._known(wallets):
            state.standing = standing

    def proven(self, socket: str, at_ms: int) -> None:
        """Note that everything a socket sent up to a time has been taken over."""
        if at_ms > self._proven.get(socket, 0):
            self._proven[socket] = at_ms

    def rest(self) -> None:
        """Note that no socket delivers anything any more, because we wanted it so."""
        for state in self._wallets.values():
            state.cover(self._proven)
            state.sockets.clear()

    def turned_back(self, by_ms: int) -> None:
        """Note that the clock turned out to be ahead: all that was told until now was told so much too late."""
        for state in self._wallets.values():
            state.turn_back(by_ms)
        self._proven = {socket: at_ms - by_ms for socket, at_ms in self._proven.items()}
        self._agenda.turn_back(by_ms)
        self._under_way = dict.fromkeys(self._under_way)

    def ordered(self, wallet: str, executed_ms: int) -> None:
        """Note an order of a wallet."""
        state = self._wallets.get(wallet)
        if state is not None and (state.last_order_ms is None or executed_ms > state.last_order_ms):
            state.last_order_ms = executed_ms

    def checkpoint(self, wallet: str, now_ms: int) -> CoverageRecord:
        """Return what is true of a wallet once everything handed to Kafka so far is acknowledged."""
        state = self._wallets[wallet]
        state.cover(self._proven)
        return state.checkpoint(self._owner, now_ms)

    def overview(self, now_ms: int) -> Overview:
        """Return what is true of all wallets together."""
        for state in self._wallets.values():
            state.cover(self._proven)
        return overview(self._wallets.values(), now_ms)

    def next_due(self) -> int | None:
        """Return when `take` has something to give, or None."""
        return self._agenda.next_due()

    def take(self, now_ms: int) -> tuple[Task, list[GapRecord]] | None:
        """Return the next pass to make, gaps before routine; `passed` or `dropped` must follow."""
        wallet = self._agenda.pop(now_ms)
        if wallet is None:
            return None
        state = self._under_way[wallet] = self._wallets[wallet]
        gap = state.gap
        if gap is None:
            # Younger orders may be on their way still, through the socket and to REST.
            start, end = state.verified_ms - self._policy.overlap_ms, now_ms - self._policy.settle_ms
            return Task(wallet, max(start, state.since_ms), max(end, state.since_ms), now_ms, None), []
        reports = [] if gap.filling else [gap.report(wallet, "filling", owner=self._owner, now_ms=now_ms)]
        return gap.begin(wallet, self._policy, now_ms, since_ms=state.since_ms), reports

    def dropped(self, task: Task, now_ms: int) -> None:
        """Put a pass back that was not made."""
        state = self._returned(task, now_ms)
        if state is not None:
            self._due(state, now_ms)

    def passed(self, task: Task, outcome: Outcome, now_ms: int) -> list[GapRecord]:
        """Judge a pass that was made, or failed."""
        state = self._returned(task, now_ms)
        if state is None:
            return []
        if state.gap is None:
            return self._compared(task, state, outcome, now_ms)
        if task.gap_id is None:
            # The gap opened meanwhile: the pass proves nothing of it, but may have found that it began before.
            if outcome.recovered:
                state.gap.recovered += outcome.recovered
                state.gap.grow(state.verified_ms, state.gap.end_ms)
            self._due(state, now_ms)
            return []
        verdict = state.gap.judge(task, outcome, self._policy, now_ms)
        if isinstance(verdict, Ending):
            shown = None if outcome.failure is not None else task.began_ms - self._policy.settle_ms
            return [self._close(state, state.gap, verdict, shown, now_ms)]
        self._due(state, verdict)
        return []

    def _returned(self, task: Task, now_ms: int) -> Watched | None:
        """Return the wallet of a pass that is over; None if it went away meanwhile, even if it is back by now."""
        began, state = self._under_way.pop(task.wallet), self._wallets.get(task.wallet)
        if state is None or state is began:
            return state
        self._due(state, now_ms)  # as it could not be during that pass
        return None

    def _known(self, wallets: Iterable[str]) -> Iterator[Watched]:
        return (self._wallets[wallet] for wallet in wallets if wallet in self._wallets)

    def _forget(self, wallet: str) -> Watched | None:
        self._agenda.clear(wallet)
        return self._wallets.pop(wallet, None)

    def _due(self, state: Watched, due_ms: int) -> None:
        if state.name not in self._under_way:  # else the pass under way is judged first
            self._agenda.set(state.name, due_ms, urgent=state.gap is not None)

    def _missing(self, state: Watched, start_ms: int, end_ms: int | None, cause: Cause, now_ms: int) -> list[GapRecord]:
        start_ms = max(start_ms, state.since_ms)
        end_ms = None if end_ms is None else max(end_ms, start_ms)
        if state.gap is None:
            return [self._open(state, start_ms, end_ms, cause, now_ms)]
        state.gap.grow(start_ms, end_ms)
        self._due(state, now_ms)
        return []

    def _open(self, state: Watched, start_ms: int, end_ms: int | None, cause: Cause, now_ms: int) -> GapRecord:
        self._serial += 1
        name = f"{self._owner}|{state.name}|{start_ms}|{now_ms}|{self._serial}"
        gap_id = hashlib.sha256(name.encode()).hexdigest()[:16]
        gap = Gap(id=gap_id, cause=cause, start_ms=start_ms, end_ms=end_ms, opened_ms=now_ms)
        return self._enter(state, gap, now_ms)

    def _enter(self, state: Watched, gap: Gap, now_ms: int) -> GapRecord:
        state.gap = gap
        self._due(state, now_ms)
        return gap.report(state.name, "opened", owner=self._owner, now_ms=now_ms)

    def _compared(self, task: Task, state: Watched, outcome: Outcome, now_ms: int) -> list[GapRecord]:
        policy = self._policy
        if outcome.recovered:
            report = self._open(state, state.verified_ms, now_ms if state.sockets else None, "silent-loss", now_ms)
            if state.gap is not None:
                state.gap.recovered = outcome.recovered
            self._due(state, now_ms + policy.settle_ms)
            return [report]
        if outcome.failure is not None:
            self._due(state, now_ms + policy.verify_ms)
            return []
        state.compared(task.start_ms, task.end_ms)
        self._routine(state, now_ms)
        return []

    def _close(self, state: Watched, gap: Gap, ending: Ending, shown_ms: int | None, now_ms: int) -> GapRecord:
        """End a gap; up to `shown_ms` REST has shown everything, if a complete pass ended it."""
        report = gap.report(state.name, ending.state, owner=self._owner, now_ms=now_ms, detail=ending.detail)
        end, overlap = gap.end_ms or 0, self._policy.overlap_ms
        state.gap = None
        if gap.start_ms <= state.covered_ms:  # else it is for sockets to prove what came before
            state.covered_ms = max(state.covered_ms, end)
        state.cover(self._proven)
        if shown_ms is not None:
            state.compared(max(gap.start_ms - overlap, state.since_ms), min(end + overlap, shown_ms))
        self._routine(state, now_ms)
        return report

    def _routine(self, state: Watched, now_ms: int) -> None:
        if self._policy.verify_ms:
            # By what was compared, or gaps that come often would put it off for ever.
            due_ms = state.verified_ms + self._policy.settle_ms + self._policy.verify_ms
            self._due(state, max(due_ms, now_ms))
