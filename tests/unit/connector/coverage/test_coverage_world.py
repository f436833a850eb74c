"""
Coverage against a world that knows the truth.

Sockets go live, die unnoticed and are noticed later; REST shows an order `settle` after its execution at the latest;
passes succeed, fail, take long or are dropped; watches end and begin again; the clock may be ahead until the first
answer corrects it; the process restarts from its checkpoints. Whatever happens, `covered_until` never claims a moment
that neither a socket nor a settled pass covers, `verified_until` none that no settled pass covers, nobody asks for what
is not wanted, and after quiet every gap ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connector.contract.coverage import decode_coverage
from connector.contract.record import encode
from connector.coverage import Coverage, Outcome, Policy, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.contract.coverage import CoverageRecord
    from connector.contract.gap import GapRecord

SETTLE, OVERLAP = 3_000, 2_000
POLICY = Policy(overlap_ms=OVERLAP, settle_ms=SETTLE, poll_ms=4_000, verify_ms=20_000, give_up_ms=10**9)
WALLETS = ("0x" + "1" * 40, "0x" + "2" * 40)
SOCKETS = ("primary-0", "mirror-0")
START = 1_000_000
HALF = 500
"""Moments that are looked at lie between whole seconds, where everything happens."""


class Up(msgspec.Struct):
    """A socket that delivers, or died without anybody noticing."""

    since: int
    dead: int | None = None
    proven: int = 0
    """The last proof; not every one is told."""


class World(RuleBasedStateMachine):
    """The truth, and what the coverage makes of what it is told."""

    @initialize(ahead=st.sampled_from([0, 0, 7_000, 60_000]))
    def begin(self, ahead: int) -> None:
        """Watch both wallets from now on; the clock may be ahead."""
        self.true_now, self.ahead = START, ahead
        self.coverage = Coverage(POLICY, owner="a")
        self.up: dict[str, Up] = {}
        self.delivered: list[tuple[int, int]] = []
        self.compared: dict[str, list[Task]] = {wallet: [] for wallet in WALLETS}
        self.under_way: list[Task] = []
        self.open: dict[str, str] = {}
        self.since: dict[str, int] = {}
        for wallet in WALLETS:
            self.watch(wallet)

    @property
    def now(self) -> int:
        """What the clock shows."""
        return self.true_now + self.ahead

    def correct(self) -> None:
        """An answer tells the time."""
        if self.ahead:
            by, self.ahead = self.ahead, 0
            self.coverage.turned_back(by)

    def watch(self, wallet: str) -> None:
        """Add a wallet; sockets may deliver it already."""
        self.since[wallet] = self.true_now
        self.report(self.coverage.watch(wallet, since_ms=None, checkpoint=None, cause="start", now_ms=self.now))
        for socket in self.up:
            self.coverage.live(socket, "", [wallet], self.now)

    def report(self, reports: Sequence[GapRecord]) -> None:
        """Follow the gaps: of each wallet one at most, and it opens before it ends."""
        for report in reports:
            gap_id, wallet, state = report.gap_id, report.wallet, report.state
            if state == "opened":
                assert self.open.get(wallet, gap_id) == gap_id
                self.open[wallet] = gap_id
            else:
                assert self.open[wallet] == gap_id
                if state in ("closed", "unrecoverable"):
                    del self.open[wallet]

    @rule(seconds=st.integers(1, 8))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.true_now += seconds * 1000

    @rule(wallet=st.sampled_from(WALLETS))
    def remove(self, wallet: str) -> None:
        """A watch ends."""
        if self.since.pop(wallet, None) is not None:
            self.report(self.coverage.unwatch(wallet, self.now))

    @rule(wallet=st.sampled_from(WALLETS))
    def add(self, wallet: str) -> None:
        """And begins again, maybe before a pass of the former one is over."""
        if wallet not in self.since:
            self.watch(wallet)

    @precondition(lambda self: not self.ahead)
    @rule(wallet=st.sampled_from(WALLETS))
    def hand_over(self, wallet: str) -> None:
        """A wallet goes to another replica and comes back, with its gap; passes may be under way."""
        if wallet in self.since:
            checkpoint = decode_coverage(encode(self.coverage.checkpoint(wallet, self.now)))
            self.coverage.release([wallet])
            self.resume(checkpoint)
            for socket in self.up:
                self.coverage.live(socket, "", [wallet], self.now)

    def resume(self, checkpoint: CoverageRecord) -> None:
        """Go on with a wallet; its gap keeps its name."""
        wallet = checkpoint.wallet
        before = self.open.pop(wallet, None)
        self.report(
            self.coverage.watch(wallet, since_ms=None, checkpoint=checkpoint, cause="handover", now_ms=self.now)
        )
        assert before in {None, self.open[wallet]}, "a gap lost its name"

    @rule(socket=st.sampled_from(SOCKETS))
    def connect(self, socket: str) -> None:
        """A socket goes live."""
        if socket not in self.up:
            self.correct()  # by the answer to the handshake
            self.up[socket] = Up(since=self.now, proven=self.now)
            self.coverage.live(socket, "sub", WALLETS, self.now)

    @rule(socket=st.sampled_from(SOCKETS))
    def die(self, socket: str) -> None:
        """A socket delivers nothing any more; nobody notices."""
        up = self.up.get(socket)
        if up is not None and up.dead is None:
            up.dead = self.now

    @rule(socket=st.sampled_from(SOCKETS), told=st.booleans())
    def prove(self, socket: str, *, told: bool = True) -> None:
        """A frame or a pong comes; if it is not told at once, the socket's end tells."""
        up = self.up.get(socket)
        if up is not None and up.dead is None:
            up.proven = self.now
            if told:
                self.coverage.proven(socket, self.now)

    @rule(socket=st.sampled_from(SOCKETS))
    def notice(self, socket: str) -> None:
        """The end of a socket is noticed."""
        up = self.up.pop(socket, None)
        if up is not None:
            self.delivered.append((up.since, self.now if up.dead is None else up.dead))
            self.report(self.coverage.lost(socket, WALLETS, up.proven, "disconnect", self.now))

    @rule(wallet=st.sampled_from(WALLETS), back=st.integers(0, 30))
    def doubt(self, wallet: str, back: int) -> None:
        """A frame could not be read."""
        at = max(self.now - back * 1000, START)
        self.report(self.coverage.doubt([wallet], (at, at), "bad-frame", self.now))

    @rule()
    def take(self) -> None:
        """A pass begins, if one is due."""
        taken = self.coverage.take(self.now)
        if taken is not None:
            task, reports = taken
            assert task.wallet not in [other.wallet for other in self.under_way], "two passes of one wallet"
            assert task.began_ms == self.now
            self.under_way.append(task)
            wanted = self.since[task.wallet] + self.ahead - OVERLAP
            assert task.end_ms >= task.start_ms >= wanted, "nobody wants these orders"
            self.report(reports)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), how=st.sampled_from(["complete", "complete", "found", "failed", "dropped"]))
    def finish(self, data: st.DataObject, how: str) -> None:
        """A pass ends."""
        task = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        self.end(task, how)

    @rule(seconds=st.integers(1, 10))
    def work(self, seconds: int) -> None:
        """REST works for a while, and at once: most gaps end."""
        for _ in range(seconds):
            self.true_now += 1000
            while (taken := self.coverage.take(self.now)) is not None:
                self.report(taken[1])
                self.end(taken[0], "complete")

    def end(self, task: Task, how: str) -> None:
        """Tell the coverage how a pass ended."""
        if how == "dropped":
            self.coverage.dropped(task, self.now)
            return
        self.correct()
        if how != "failed":
            self.compared[task.wallet].append(task)
        outcome = Outcome(failure="x" if how == "failed" else None, recovered=int(how == "found"))
        self.report(self.coverage.passed(task, outcome, self.now))

    @precondition(lambda self: not self.ahead)
    @rule()
    def restart(self) -> None:
        """The process dies; the next one goes on from the checkpoints."""
        checkpoints = [decode_coverage(encode(self.coverage.checkpoint(wallet, self.now))) for wallet in self.since]
        for socket in list(self.up):
            up = self.up.pop(socket)
            self.delivered.append((up.since, self.now if up.dead is None else up.dead))
        self.under_way = []
        self.coverage = Coverage(POLICY, owner="b")
        for checkpoint in checkpoints:
            self.resume(checkpoint)

    def known(self, wallet: str, moment: int) -> bool:
        """Return whether an order executed at a moment is surely in the topic."""
        spans = self.delivered + [(up.since, self.now if up.dead is None else up.dead) for up in self.up.values()]
        return any(since <= moment < until for since, until in spans) or self.shown(wallet, moment)

    def shown(self, wallet: str, moment: int) -> bool:
        """Return whether REST has shown the orders executed at a moment."""
        return any(
            task.start_ms <= moment <= task.end_ms and moment <= task.began_ms - SETTLE
            for task in self.compared[wallet]
        )

    @precondition(lambda self: not self.ahead)
    @invariant()
    def claims_are_true(self) -> None:
        """Nothing is claimed that is not known, and an open gap is where the claim ends."""
        for wallet, since in self.since.items():
            checkpoint = self.coverage.checkpoint(wallet, self.now)
            assert checkpoint.covered_until_ms <= self.now
            assert checkpoint.verified_until_ms <= checkpoint.covered_until_ms
            assert (checkpoint.gap is not None) == (wallet in self.open)
            for moment in range(since + HALF, checkpoint.covered_until_ms, 1000):
                assert self.known(wallet, moment), f"{moment} is claimed to be covered"
            for moment in range(since + HALF, checkpoint.verified_until_ms, 1000):
                assert self.shown(wallet, moment), f"{moment} is claimed to be verified"

    @invariant()
    def nothing_is_forgotten(self) -> None:
        """Every wallet has a pass under way or one that is due some time."""
        passing = {task.wallet for task in self.under_way}
        assert passing.issuperset(self.since) or self.coverage.next_due() is not None

    def teardown(self) -> None:
        """After quiet, with sockets that deliver and a REST that works, every gap ends."""
        if not hasattr(self, "coverage"):
            return
        self.correct()
        for socket in SOCKETS:
            self.notice(socket)
            self.connect(socket)
        for task in self.under_way:
            self.end(task, "complete")
        self.under_way = []
        deadline = self.now + 60_000
        while self.open and self.now < deadline:
            self.work(1)
        for socket in SOCKETS:
            self.prove(socket)
        assert not self.open
        records = [self.coverage.checkpoint(wallet, self.now) for wallet in self.since]
        assert all(record.gap is None for record in records)
        assert all(record.covered_until_ms == self.now for record in records)
        self.claims_are_true()


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=250, stateful_step_count=40, deadline=None)
