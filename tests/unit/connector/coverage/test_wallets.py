"""Coverage of wallets over sockets, gaps and comparisons. Timelines in seconds, the code's times in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.coverage import Coverage, Outcome, Policy, Task

if TYPE_CHECKING:
    from connector.contract.coverage import CoverageRecord
    from connector.contract.gap import GapRecord, GapState

WALLET = "0x" + "1" * 40
A, B = "primary-0", "mirror-0"
POLICY = Policy(overlap_ms=30_000, settle_ms=15_000, poll_ms=20_000, verify_ms=300_000, give_up_ms=3_600_000)
T = 1_000_000_000


class Story:
    """One wallet's coverage, told in seconds after `T`; what becomes due on the way is done when time passes."""

    def __init__(self, *, since: int | None = None, verify: bool = True) -> None:
        policy = (
            POLICY
            if verify
            else Policy(**{**{f: getattr(POLICY, f) for f in POLICY.__struct_fields__}, "verify_ms": 0})
        )
        self.coverage = Coverage(policy, owner="a")
        self.now = T
        self.reports: list[GapRecord] = []
        self.tasks: list[Task] = []
        self.outcome = Outcome()
        self.watch(since=since)

    def watch(self, checkpoint: CoverageRecord | None = None, since: int | None = None) -> None:
        """Begin a watch."""
        since_ms = None if since is None else T + since * 1000
        self.reports += self.coverage.watch(
            WALLET, since_ms=since_ms, checkpoint=checkpoint, cause="start", now_ms=self.now
        )

    def at(self, seconds: int) -> Story:
        """Let the time come, making each pass when it is due."""
        while self.now < T + seconds * 1000:
            self.now += 1000
            while (taken := self.coverage.take(self.now)) is not None:
                self.tasks.append(taken[0])
                self.reports += taken[1]
                self.reports += self.coverage.passed(taken[0], self.outcome, self.now)
        return self

    def live(self, socket: str) -> Story:
        """A socket delivers the wallet from now on."""
        self.coverage.live(socket, "sub", [WALLET], self.now)
        return self

    def proven(self, socket: str) -> Story:
        """A socket is proven up to now."""
        self.coverage.proven(socket, self.now)
        return self

    def lost(self, socket: str, proven: int) -> Story:
        """A socket is lost; nothing is proven since `proven`."""
        self.reports += self.coverage.lost(socket, [WALLET], T + proven * 1000, "disconnect", self.now)
        return self

    @property
    def gaps(self) -> list[tuple[GapState, int, int | None]]:
        """What was reported, but for fillings, as state, start and end."""
        return [
            (
                report.state,
                (report.start_ms - T) // 1000,
                None if report.end_ms is None else (report.end_ms - T) // 1000,
            )
            for report in self.reports
            if report.state != "filling"
        ]

    @property
    def passes(self) -> list[tuple[int, int]]:
        """The intervals that were asked for."""
        return [((task.start_ms - T) // 1000, (task.end_ms - T) // 1000) for task in self.tasks]

    @property
    def record(self) -> CoverageRecord:
        """The checkpoint."""
        return self.coverage.checkpoint(WALLET, self.now)

    @property
    def covered(self) -> int:
        """Up to when it is covered."""
        return (self.record.covered_until_ms - T) // 1000

    @property
    def verified(self) -> int:
        """Up to when it is verified."""
        return (self.record.verified_until_ms - T) // 1000


def settled() -> Story:
    """Return a wallet that was added, is live since 2, and has no gap any more at 100."""
    story = Story().at(2).live(A).at(100).proven(A)
    assert story.gaps == [("opened", 0, None), ("closed", 0, 2)]
    return story


def test_a_watch_begins_with_a_gap_up_to_when_it_is_live() -> None:
    """
    Nothing is known of a wallet before a socket delivers it.

        0 added ── 2 live ── 17 nothing new: closed
    """
    story = Story().at(2).live(A)
    assert (story.covered, story.record.gap is not None) == (0, True)
    story.at(16)
    assert story.gaps == [("opened", 0, None)]
    story.at(18)
    assert story.gaps[1:] == [("closed", 0, 2)]
    assert story.covered == 2
    assert story.proven(A).covered == 18


def test_a_gap_begins_where_the_socket_was_proven_last() -> None:
    """
    Half-open sockets lie.

        100 proven ── ... ── 130 found dead ── 132 live ── 147 closed
    """
    story = settled().at(130).lost(A, 100)
    assert story.covered == 100
    story.at(132).live(A).at(150)
    assert story.gaps[2:] == [("opened", 100, None), ("closed", 100, 132)]


def test_one_of_two_sockets_may_go_unnoticed() -> None:
    """
    No gap while the other one delivers.

        A ── 100 ──────x 130
        B ───── 110 ─────────── 140 proven
    """
    story = settled()
    story.at(110).live(B).at(120).proven(A).at(130).lost(A, 120).at(140).proven(B)
    assert story.gaps[2:] == []
    assert story.covered == 140


def test_a_socket_that_died_before_the_other_came_leaves_a_gap() -> None:
    """
    It is noticed late.

        A ── 100 proven, dead ─────── 130 noticed
        B ────────────────── 110 live ──────────────
                 gap: 100 .. 110
    """
    story = settled().at(110).live(B).at(130).lost(A, 100)
    assert story.gaps[2:] == [("opened", 100, 110)]
    assert story.at(150).proven(B).covered == 150
    assert story.gaps[3:] == [("closed", 100, 110)]


def test_a_socket_that_comes_back_proves_nothing_of_the_time_without_it() -> None:
    """
    Only B covers 120 to 140, and B may be dead.

        A ── 120 x            140 ──── 141 proven
        B ── 105 proven, silent ────────────────── 150 noticed: 105 .. 140 are missing
    """
    story = settled().at(105).live(B).at(120).proven(A).lost(A, 120).at(140).live(A).at(141).proven(A)
    assert story.covered == 120
    story.at(150).lost(B, 105)
    assert story.gaps[2:] == [("opened", 105, 140)]


def test_what_was_doubted_ahead_of_the_proof_closes_nothing_before_it() -> None:
    """
    A gap that ends says nothing of the time between the last proof and its beginning.

        100 proven ── 120 a frame cannot be read ── 135 closed ── 140 found dead since 100
    """
    story = settled().at(120)
    story.reports += story.coverage.doubt([WALLET], (story.now, story.now), "bad-frame", story.now)
    story.at(139)
    assert story.gaps[2:] == [("opened", 120, 120), ("closed", 120, 120)]
    assert story.covered == 100
    story.at(140).lost(A, 100)
    assert story.gaps[4:] == [("opened", 100, None)]


@pytest.mark.parametrize("proven", [100, 125])
def test_the_other_socket_takes_over_during_a_gap(proven: int) -> None:
    """
    A bad frame opened a gap at 120; A is lost before it is closed, B goes on.

        A ── 100 ──── 120 gap ── 125 proven x 126
        B ───────────────────── 125 live ──────────── 200 proven
    """
    story = settled().at(120)
    story.reports += story.coverage.doubt([WALLET], (story.now, story.now), "bad-frame", story.now)
    story.at(125).live(B)
    if proven == 125:
        story.proven(A)
    story.at(126).lost(A, proven).at(200).proven(B)
    assert story.gaps[-1] == ("closed", min(proven, 120), 125)
    assert story.covered == 200


def test_a_socket_that_takes_up_another_wallet_proves_nothing() -> None:
    """An acknowledgement may have waited in a buffer, with orders behind it."""
    story = settled().at(130)
    other = "0x" + "2" * 40
    story.coverage.watch(other, since_ms=None, checkpoint=None, cause="added", now_ms=story.now)
    story.coverage.live(A, "sub", [other], story.now)
    assert story.covered == 100


def test_a_comparison_claims_only_what_it_compared() -> None:
    """
    Routine comparisons come `verify` after the last one, whatever gaps come between.

            2 live ── gaps at 100, 200, 300, each compared with 30 s around it ── 317 all that was not compared yet
    """
    story = Story().at(2).live(A).at(90).proven(A)
    for at in (100, 200, 300):
        assert story.verified == 2
        story.at(at).proven(A).lost(A, at).at(at + 2).live(A).at(at + 25).proven(A)
    assert story.passes[-1] == (-28, 302)
    assert story.verified == 302


def test_a_comparison_leaves_out_what_is_on_its_way() -> None:
    """REST may show an order before the socket brings it: that is no loss."""
    story = settled()
    story.at(2 + 15 + 300)
    assert story.passes[-1] == (-28, 302)


def test_orders_from_before_the_watch_are_not_wanted() -> None:
    """Neither a gap right after its beginning, nor a comparison, nor a restart asks for them."""
    story = Story(since=0).at(2).live(A).at(20).proven(A).lost(A, 20).at(22).live(A).at(400).proven(A)
    record = story.record
    assert min(start for start, _ in story.passes) == 0
    story = Story()
    story.coverage.release([WALLET])
    story.watch(record)
    assert story.record.since_ms == T
    story.live(A).at(40)
    assert min(start for start, _ in story.passes) >= 0


def test_orders_on_their_way_when_the_watch_begins_are_wanted() -> None:
    """Orders reach sockets late: without a `since`, what was executed `overlap` earlier is asked for, and no more."""
    story = Story().at(2).live(A).at(400).proven(A)
    assert min(start for start, _ in story.passes) == -30
    story = Story()
    story.coverage.release([WALLET])
    story.coverage.watch(WALLET, since_ms=None, checkpoint=None, cause="start", now_ms=T + 60_000, listed_ms=T + 40_000)
    story.at(61).live(A).at(100)
    assert min(start for start, _ in story.passes) == 10


def test_a_doubt_takes_nothing_back_that_comes_after_it() -> None:
    """
    A frame could not be read; what sockets brought later is known all the same.

            2 live ── 100 doubt about 1, before it was live ── at once closed, covered as before
    """
    story = settled()
    story.reports += story.coverage.doubt([WALLET], (T + 1_000, T + 1_000), "bad-frame", story.now)
    assert story.covered == 1
    story.at(102)
    assert story.gaps[2:] == [("opened", 1, 1), ("closed", 1, 1)]
    assert story.proven(A).covered == 102


def test_a_list_that_reaches_further_back_is_followed_also_after_a_restart() -> None:
    """`since` was set to an earlier time while no replica was running."""
    record = settled().record
    story = Story()
    story.coverage.release([WALLET])
    story.now = T + 110_000
    story.watch(record, since=-500)
    assert story.covered == -500
    story.live(A).at(140).proven(A)
    assert story.passes[0] == (-500, 140)
    assert story.covered == 140


def test_a_silent_loss_is_a_gap() -> None:
    """A comparison finds what no socket brought: everything since the last comparison is compared again."""
    story = settled().at(316).proven(A)
    story.outcome = Outcome(recovered=2)
    story.at(317)
    assert story.gaps[2:] == [("opened", 2, 317)]
    assert story.covered == 2
    story.outcome = Outcome()
    story.at(400).proven(A)
    assert story.gaps[3:] == [("closed", 2, 317)]
    assert story.reports[-1].recovered == 2


def test_a_loss_found_while_a_gap_opens_belongs_to_the_gap() -> None:
    """
    A comparison was under way when a frame could not be read; it finds an order that no socket brought.

        2 compared so far ── 317 comparison begins ── 318 bad frame ── 319 one order found: the gap reaches back to 2
    """
    story = settled().at(316)
    story.now += 1000
    taken = story.coverage.take(story.now)
    assert taken is not None
    story.coverage.doubt([WALLET], (story.now, story.now), "bad-frame", story.now)
    assert story.coverage.passed(taken[0], Outcome(recovered=1), story.now) == []
    gap = story.record.gap
    assert gap is not None
    assert (gap.start_ms, gap.recovered) == (T + 2_000, 1)


def test_what_rest_never_showed_is_not_verified() -> None:
    """A gap is given up after an hour of failures; the next comparison still begins before it."""
    story = settled().lost(A, 100).at(102).live(A)
    story.outcome = Outcome(failure="server: status 500")
    story.at(3800)
    assert story.gaps[2:] == [("opened", 100, None), ("unrecoverable", 100, 102)]
    assert story.verified == 2
    story.outcome = Outcome()
    story.at(4200).proven(A)
    assert story.tasks[-1].start_ms <= T + 2_000
    assert story.verified >= 3800


def test_without_comparisons_a_wallet_without_gap_has_nothing_due() -> None:
    """VERIFY_INTERVAL=0."""
    story = Story(verify=False).live(A).at(1000)
    assert story.gaps[-1][0] == "closed"
    assert story.coverage.next_due() is None


@pytest.mark.parametrize("how", ["passed", "dropped"])
def test_a_pass_of_a_former_watch_proves_nothing_and_does_no_harm(how: str) -> None:
    """
    The wallet was removed and added again while REST was asked.

        pass begins ── removed ── added ── pass ends: ignored ── another one begins, never two at a time
    """
    story = Story().live(A)
    taken = story.coverage.take(story.now)
    assert taken is not None
    story.coverage.unwatch(WALLET, story.now)
    story.watch()
    story.live(A)
    assert story.coverage.take(story.now + 60_000) is None
    if how == "passed":
        assert story.coverage.passed(taken[0], Outcome(recovered=3), story.now) == []
    else:
        story.coverage.dropped(taken[0], story.now)
    again = story.coverage.take(story.now)
    assert again is not None
    gap = story.record.gap
    assert gap is not None
    assert (again[0].gap_id, gap.recovered) == (gap.gap_id, 0)


def test_a_removed_wallet_takes_its_gap_along() -> None:
    """Late news of it is ignored."""
    story = Story()
    story.reports += story.coverage.unwatch(WALLET, story.now)
    story.live(A).lost(A, 0)
    assert [report.state for report in story.reports] == ["opened", "closed"]
    assert WALLET not in story.coverage
    assert story.coverage.next_due() is None


def test_a_clock_that_was_ahead_is_corrected() -> None:
    """
    Our own clock was an hour ahead until the first answer told the time.

        added and live at 3600 by that clock ── it is 1 ── closed as if the clock had been right
    """
    story = Story()
    story.coverage.unwatch(WALLET, story.now)
    story.now = T + 3_600_000
    story.watch()
    story.live(B)
    story.now = T + 1_000
    story.coverage.turned_back(3_599_000)
    assert story.record.live_since_ms == T + 1_000
    assert story.coverage.next_due() == T + 1_000
    story.at(20).proven(B)
    assert set(story.passes) == {(-29, 31)}
    assert story.covered == 20


def test_a_checkpoint_from_the_future_is_not_believed() -> None:
    """Whoever wrote it had a clock that was ahead."""
    record = settled().record
    story = Story()
    story.coverage.release([WALLET])
    story.now = T + 50_000
    story.watch(record)
    assert story.covered == 50


def test_why_nobody_delivers_it_is_told() -> None:
    """A refusal stays until the wallet is live again."""
    story = settled()
    story.coverage.refused([WALLET], "refused")
    story.coverage.lost(A, [WALLET], story.now, "refused", story.now)
    standings = [story.record.standing]
    story.coverage.live(A, "", [WALLET], story.now)
    standings.append(story.record.standing)
    assert story.record.subscription is None
    standings.append(story.lost(A, 100).record.standing)
    assert standings == ["refused", "live", "down"]


def test_at_the_end_nothing_is_lost_because_we_close_the_sockets() -> None:
    """What they proved counts; whoever starts next has to look after the rest."""
    story = settled().at(110).proven(A)
    story.coverage.rest()
    assert (story.covered, story.record.standing, story.record.gap) == (110, "down", None)


def test_the_end_of_a_socket_tells_its_last_proof() -> None:
    """
    Proofs are told now and then: between the last one told and the one that the gap begins with nothing is unknown.

            100 proven, told ── 101 proven ── 101 lost, from then on ── 103 live ── 118 closed, covered without a hole
    """
    story = settled().at(101).lost(A, 101).at(103).live(A).at(120).proven(A)
    assert story.gaps[2:] == [("opened", 101, None), ("closed", 101, 103)]
    assert story.covered == 120


def test_what_was_compared_with_rest_is_covered() -> None:
    """Whatever sockets failed to prove, a routine comparison makes up for."""
    story = settled().at(400)
    assert story.passes[-1] == (-28, 302)
    assert story.covered == 302
