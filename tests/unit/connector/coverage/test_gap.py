"""One gap: when the next pass is due, and how it ends. Milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.coverage.gap import Ending, Gap, Outcome, Policy, Task, reopened

if TYPE_CHECKING:
    from connector.contract.gap import Cause

WALLET = "0x" + "1" * 40
POLICY = Policy(overlap_ms=30_000, settle_ms=15_000, poll_ms=20_000, verify_ms=300_000, give_up_ms=3_600_000)
NOTHING = Outcome()
TX = "0x" + "ab" * 32


def gap(start_ms: int = 1_000_000, end_ms: int | None = None, cause: Cause = "disconnect") -> Gap:
    """Return a gap that was just opened."""
    return Gap(id="g", cause=cause, start_ms=start_ms, end_ms=end_ms, opened_ms=start_ms)


def make(one: Gap, now_ms: int, outcome: Outcome = NOTHING, took_ms: int = 0) -> int | Ending:
    """Make the pass that is due now."""
    return one.judge(one.begin(WALLET, POLICY, now_ms), outcome, POLICY, now_ms + took_ms)


def test_a_pass_reaches_beyond_both_ends() -> None:
    """Times are whole seconds and orders reach sockets late: the neighbourhood is compared too."""
    one = gap(end_ms=1_010_000)
    assert one.begin(WALLET, POLICY, 1_011_000) == Task(WALLET, 970_000, 1_040_000, 1_011_000, "g")


def test_a_watch_that_begins_wants_nothing_from_before() -> None:
    """A wallet that was added is fetched from `since` or now on, not from an overlap before."""
    assert gap().begin(WALLET, POLICY, 1_011_000, since_ms=1_000_000).start_ms == 1_000_000


def test_it_closes_with_a_later_pass_that_finds_nothing() -> None:
    """
    One pass at once, one `settle` after the end.

        1000.0 gap ──── 1010.0 end, first pass ──── 1025.0 second pass: closed
    """
    one = gap(end_ms=1_010_000)
    assert make(one, 1_010_000) == 1_025_000
    assert make(one, 1_025_000) == Ending("closed")


def test_what_is_found_asks_for_another_pass() -> None:
    """REST still shows new rows: it may show more."""
    one = gap(end_ms=1_010_000)
    make(one, 1_010_000)
    assert make(one, 1_025_000, Outcome(recovered=2, known=5)) == 1_040_000
    assert make(one, 1_040_000) == Ending("closed")
    assert (one.recovered, one.duplicates) == (2, 5)


def test_while_no_socket_is_up_rest_is_polled() -> None:
    """Without an end it never closes; each pass asks only for what has not settled yet."""
    one = gap()
    assert make(one, 1_000_000) == 1_020_000
    assert make(one, 1_020_000) == 1_040_000
    later = one.begin(WALLET, POLICY, 1_040_000)
    # Two passes found nothing up to 1000.0: what is before 985.0 (settle) less the overlap is not asked again.
    assert later.start_ms == 1_000_000 - 30_000
    assert one.judge(later, NOTHING, POLICY, 1_040_000) == 1_060_000
    assert one.begin(WALLET, POLICY, 1_060_000).start_ms == 1_020_000 - 15_000 - 30_000


def test_one_that_reaches_further_back_is_asked_for_from_there() -> None:
    """What had settled does not spare what lies before it."""
    one = gap()
    for now in (1_000_000, 1_020_000, 1_040_000):
        make(one, now)
    one.grow(900_000, 901_000)
    assert one.begin(WALLET, POLICY, 1_050_000).start_ms == 870_000


def test_one_that_grows_during_a_pass_starts_over() -> None:
    """The pass says nothing of the time that was added meanwhile."""
    one = gap(end_ms=1_010_000)
    make(one, 1_010_000)
    task = one.begin(WALLET, POLICY, 1_025_000)
    one.grow(1_024_000, None)
    assert one.judge(task, NOTHING, POLICY, 1_026_000) == 1_026_000
    assert (one.start_ms, one.end_ms) == (1_000_000, None)
    one.reach(1_030_000)
    assert make(one, 1_030_000) == 1_045_000
    assert make(one, 1_045_000) == Ending("closed")


def test_one_that_grows_on_and_on_asks_only_for_what_is_young() -> None:
    """
    A wallet with equal fills in every pass: its gap does not close, but its passes stay short.

        growth      1010  1020  1030 ...  2000
        passes ask   from the second pass before, less settle and overlap, on
    """
    one = gap(end_ms=1_010_000, cause="twin")
    for now in range(1_010_000, 2_000_000, 10_000):
        task = one.begin(WALLET, POLICY, now)
        one.grow(now, now)
        assert one.judge(task, NOTHING, POLICY, now) == now
    assert one.begin(WALLET, POLICY, 2_000_000).start_ms == 1_980_000 - 15_000 - 30_000
    assert one.start_ms == 1_000_000


def test_what_is_doubted_during_a_pass_is_asked_for_again() -> None:
    """However long ago two passes agreed on what was before."""
    one = gap(end_ms=1_010_000)
    make(one, 1_010_000)
    task = one.begin(WALLET, POLICY, 1_100_000)
    one.grow(1_020_000, 1_021_000)
    one.judge(task, NOTHING, POLICY, 1_101_000)
    make(one, 1_200_000)
    assert one.begin(WALLET, POLICY, 1_300_000).start_ms <= 1_100_000
    one = gap(end_ms=1_010_000)
    make(one, 1_100_000)
    task = one.begin(WALLET, POLICY, 1_200_000)
    one.grow(1_020_000, 1_021_000)
    one.judge(task, NOTHING, POLICY, 1_201_000)
    assert one.begin(WALLET, POLICY, 1_201_000).start_ms == 1_020_000 - 30_000


def test_failures_are_retried_more_and_more_slowly_then_given_up() -> None:
    """1, 2, 4 ... 60 s; after an hour without a complete pass it is on record as unrecoverable."""
    one = gap(end_ms=1_010_000)
    now, waits = 1_010_000, []
    while not isinstance(due := make(one, now, Outcome(failure="server: status 503")), Ending):
        waits.append((due - now) // 1000)
        now = due
    assert waits[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert due == Ending("unrecoverable", "REST failed all the time: server: status 503")
    assert now - 1_010_000 >= POLICY.give_up_ms


def test_a_success_forgives_the_failures_before() -> None:
    """Only an hour of nothing but failures ends a gap."""
    one = gap(end_ms=1_010_000)
    make(one, 1_010_000, Outcome(failure="timeout"))
    make(one, 1_011_000)
    assert make(one, 1_011_000 + POLICY.give_up_ms, Outcome(failure="timeout")) == 1_012_000 + POLICY.give_up_ms


def test_evidence_that_rest_never_shows_makes_it_unrecoverable() -> None:
    """A broken frame named a transaction; REST has a minute to show it."""
    one = gap(end_ms=1_010_000, cause="bad-frame")
    one.evidence = {TX}
    now = 1_010_000
    while not isinstance(due := make(one, now), Ending):
        now = due
    assert due == Ending("unrecoverable", f"REST never showed {TX}")
    assert now >= 1_010_000 + POLICY.patience_ms


def test_a_transaction_that_rest_owes_is_asked_for_again_and_again() -> None:
    """Passes without news do not leave its time behind."""
    one = gap(end_ms=1_010_000, cause="bad-frame")
    one.evidence = {TX}
    for now in range(1_010_000, 1_069_000, 15_000):
        assert one.begin(WALLET, POLICY, now).start_ms == 970_000
        make(one, now)


def test_evidence_that_rest_shows_is_settled() -> None:
    """The order was published before, or just now."""
    one = gap(end_ms=1_010_000, cause="bad-frame")
    one.evidence = {TX}
    make(one, 1_010_000, Outcome(recovered=1, transactions=frozenset({TX})))
    make(one, 1_025_000)
    assert make(one, 1_040_000) == Ending("closed")


def test_a_checkpoint_brings_it_back() -> None:
    """Whoever takes over goes on with the same gap, its counts and its beginning."""
    one = gap()
    one.recovered, one.duplicates = 3, 7
    again = reopened(one.open_gap(), 1_500_000, 1_600_000)
    fields: dict[str, Any] = {"id": "g", "cause": "disconnect", "start_ms": 1_000_000, "end_ms": None}
    assert {name: getattr(again, name) for name in fields} == fields
    assert (again.recovered, again.duplicates) == (3, 7)
    assert again.opened_ms == 1_600_000, "nobody tells for how long others had it"
