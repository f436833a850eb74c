"""Passes against a provider that pages as documented, except where its faults say otherwise."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from connector.dialects import PageRows
from connector.paging import Page, Pass, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

WALLET = "0x" + "a" * 40
T = 1_700_000_000
FAULTS = ("partial", "repeat", "no-cursor", "same-cursor", "refuse", "empty", "foreign", "outside", "unsaid", "late")
Row = dict[str, Any]


class Provider:
    """Pages newest first by (timestamp, seq); the n-th request suffers the n-th fault."""

    def __init__(self, rows: Sequence[Row], limit: int, faults: Sequence[str | None] = (), most: int = 0) -> None:
        self.rows: list[Row] = [{"seq": seq} | row for seq, row in enumerate(rows)]
        self.limit = limit
        self.most = max(limit, most)
        self.faults = list(faults)
        self.requests: list[Request] = []
        self.hidden: list[Row] = []

    def answer(self, request: Request) -> PageRows | None:
        """Return a page, or None to refuse."""
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "refuse" and request.cursor is not None:
            return None
        if fault == "late":
            self.rows += self.hidden
            self.hidden = []
        matching = sorted(
            (row for row in self.rows if request.start_s <= row["timestamp"] <= request.end_s),
            key=position,
            reverse=True,
        )
        skipped = 0
        if request.cursor is not None:
            before = tuple(map(int, request.cursor.split("/")))
            skipped = sum(position(row) >= before for row in matching)
        if fault == "empty":
            return PageRows([], request.cursor or f"{request.end_s + 1}/0", more=True)
        size = max(1, request.limit // 2) if fault == "partial" else request.limit
        page = matching[skipped : skipped + size]
        return self._page(
            request, fault, page, repeated=matching[max(0, skipped - 2) : skipped], rest=len(matching) - skipped
        )

    def _page(
        self, request: Request, fault: str | None, page: list[Row], *, repeated: list[Row], rest: int
    ) -> PageRows:
        more = rest > len(page)
        cursor: str | None = "{}/{}".format(*position(page[-1])) if more else None
        if fault == "no-cursor":
            cursor = None
        if fault == "same-cursor" and more:
            cursor = request.cursor or cursor
        extra = {
            "repeat": repeated,
            "foreign": [{"user": "0x" + "b" * 40, "timestamp": T, "seq": -1}],
            "outside": [{"user": WALLET, "timestamp": T + 10_000, "seq": -2}],
        }.get(fault or "", [])
        said = None if fault == "unsaid" and (not more or len(page) == request.limit) else more
        return PageRows(extra + page, cursor, said)


def position(row: Row) -> tuple[int, int]:
    """Return what rows are sorted by."""
    return row["timestamp"], row["seq"]


def fill(second: int, content: int = 0, log_index: int | None = None) -> Row:
    """Return a row executed `second` seconds after T."""
    return {"user": WALLET, "timestamp": T + second, "tx_hash": f"{second}-{content}", "log_index": log_index}


def run(provider: Provider, start: int = 0, end: int = 10) -> tuple[Pass, list[Page]]:
    """Drive a pass over [T + start, T + end] to its end."""
    sweep = Pass(WALLET, (T + start) * 1000, (T + end) * 1000, limit=provider.limit, most=provider.most)
    pages = []
    while sweep.request is not None:
        answer = provider.answer(sweep.request)
        if answer is None:
            sweep.refused()
        else:
            pages.append(sweep.answered(answer))
        assert len(provider.requests) < 500, "the pass does not end"
    return sweep, pages


def seqs(pages: list[Page]) -> set[int]:
    """Return which rows were yielded."""
    return {row["seq"] for page in pages for row in page.rows}


def most_on_a_page(pages: list[Page]) -> Counter[str]:
    """Return how often each content is on the page that has most of it."""
    counts: Counter[str] = Counter()
    for page in pages:
        counts |= Counter(row["tx_hash"] for row in page.rows)
    return counts


books = st.lists(st.builds(fill, st.integers(-1, 5), st.integers(0, 2), st.none()), max_size=30) | st.lists(
    st.tuples(st.integers(-1, 5), st.integers(0, 2)), max_size=30
).map(lambda drawn: [fill(second, content, index) for index, (second, content) in enumerate(drawn)])

fault_lists = st.sets(st.sampled_from(FAULTS), min_size=1, max_size=3).flatmap(
    lambda kinds: st.lists(st.none() | st.sampled_from(sorted(kinds)), max_size=12)
)
"""Few kinds in one list: what several faults of one kind do in a row is what hurts."""


@settings(max_examples=400)
@given(
    books,
    st.lists(st.builds(fill, st.integers(0, 4), st.integers(0, 2)), max_size=3),
    st.integers(1, 6),
    st.integers(0, 4),
    fault_lists,
)
def test_a_complete_pass_missed_nothing(
    book: list[Row], late: list[Row], limit: int, extra: int, faults: list[str | None]
) -> None:
    """Whatever the faults: complete means that every row shown from the start was yielded, twins on one page."""
    provider = Provider(book, limit, faults, most=limit + extra)
    asked = [row for row in provider.rows if T <= row["timestamp"] <= T + 4]
    provider.hidden = [{"seq": 1000 + number} | row for number, row in enumerate(late)]
    sweep, pages = run(provider, end=4)
    event(f"failure: {sweep.failure}")
    yielded = seqs(pages)
    assert min(yielded, default=0) >= 0, "rows of others or outside were yielded"
    if sweep.failure is None:
        assert {row["seq"] for row in asked} <= yielded
        unindexed = Counter(row["tx_hash"] for row in asked if row["log_index"] is None)
        assert unindexed <= most_on_a_page(pages)


@given(books, st.integers(10, 40), st.lists(st.none() | st.sampled_from(["partial", "repeat", "foreign", "outside"])))
def test_a_pass_completes_where_cursors_work(book: list[Row], limit: int, faults: list[str | None]) -> None:
    """Short pages, repeated and foreign rows stop no pass, as long as a second fits on half a page."""
    fitting = [row for row in book if sum(other["timestamp"] == row["timestamp"] for other in book) <= limit // 2 - 1]
    sweep, _ = run(Provider(fitting, limit, faults))
    assert sweep.failure is None


def test_interval_is_widened_to_whole_seconds() -> None:
    """Down to the second begun, up to the next; never an empty interval, which Dome refuses."""
    assert Pass(WALLET, 1_999, 2_001, limit=9, most=9).request == Request(1, 3, 9)
    assert Pass(WALLET, 2_000, 2_000, limit=9, most=9).request == Request(2, 3, 9)


def test_more_without_cursor_goes_on_by_time() -> None:
    """The second reached is asked for again, since it may hold more rows."""
    # second:  9 8 7 6 5 4 3 2 1 0     limit 4
    # page 1:  x x x x               -> up to 7: 6 was reached, and one second more
    # page 2:        x x x x         ...
    provider = Provider([fill(second) for second in range(10)], 4, ["no-cursor"] * 9)
    sweep, pages = run(provider)
    assert sweep.failure is None
    assert [request.end_s - T for request in provider.requests] == [10, 7, 5, 3]
    assert len(seqs(pages)) == 10


def test_a_second_fuller_than_a_page_is_asked_for_exactly() -> None:
    """With one second more, the page would end in the second above again and again."""
    provider = Provider(
        [fill(1, content) for content in range(3)] + [fill(2, content) for content in range(3)], 4, ["no-cursor"] * 9
    )
    sweep, pages = run(provider, end=2)
    assert [request.end_s - T for request in provider.requests] == [2, 1]
    assert sweep.failure is None
    assert len(seqs(pages)) == 6


def test_a_crowded_second_without_cursor_is_no_complete_pass() -> None:
    """Five rows in the first second, four to a page, and no cursor: one cannot be reached."""
    sweep, _ = run(Provider([fill(0, content) for content in range(5)], 4, ["no-cursor"] * 9))
    assert sweep.failure == "crowded-second"


def test_a_cursor_that_comes_again_restarts_once() -> None:
    """From the top; the second time, the pass goes on by time."""
    provider = Provider([fill(second) for second in range(10)], 3, [None, "same-cursor", None, "same-cursor"])
    sweep, pages = run(provider)
    assert sweep.failure is None
    assert [(request.end_s - T, request.cursor is None) for request in provider.requests][:5] == [
        (10, True),
        (10, False),
        (10, True),
        (10, False),
        (5, True),
    ]
    assert len(seqs(pages)) == 10


def test_a_lost_cursor_goes_on_by_time() -> None:
    """An expired or corrupt one, or one too deep: what was reached is not asked for again."""
    provider = Provider([fill(second) for second in range(10)], 5, [None, "refuse"])
    sweep, pages = run(provider)
    assert [request.end_s - T for request in provider.requests] == [10, 10, 6, 6]
    assert sweep.failure is None
    assert len(seqs(pages)) == 10


def test_a_refused_request_without_cursor_fails_the_pass() -> None:
    """There is nothing else to try."""
    sweep = Pass(WALLET, 0, 1000, limit=1, most=1)
    sweep.refused()
    assert (sweep.failure, sweep.request) == ("request-refused", None)


def test_a_cursor_lost_before_any_row_restarts_then_fails() -> None:
    """Without a row there is no time to go on from."""
    sweep = Pass(WALLET, 0, 1000, limit=1, most=1)
    for _ in range(2):
        sweep.answered(PageRows([], "next", more=True))
        sweep.refused()
    assert sweep.failure == "cursor-lost"


def test_rows_out_of_order_forbid_going_on_by_time() -> None:
    """Older rows may hide behind newer ones then; with cursors the pass would have been fine."""
    rows = [{"user": WALLET, "timestamp": T + second, "log_index": 1} for second in (3, 5)]
    sweep = Pass(WALLET, T * 1000, (T + 9) * 1000, limit=2, most=2)
    sweep.answered(PageRows(rows, "next", more=True))
    sweep.refused()
    assert sweep.failure == "out-of-order"


def test_pages_that_lead_nowhere_end_the_pass() -> None:
    """New cursors for ever, and never an older row."""
    sweep = Pass(WALLET, T * 1000, (T + 9) * 1000, limit=2, most=2)
    answers = 0
    while sweep.request is not None:
        sweep.answered(PageRows([fill(3, log_index=1)], f"cursor {answers}", more=True))
        answers += 1
    assert (sweep.failure, answers) == ("endless", 22)


def test_twins_on_two_pages_are_asked_for_once_more() -> None:
    """Without log_index they count on one page only: their whole second ends the pass."""
    #          page 1  page 2  page 3
    # second:  9 8 5   5 4     5 5 4: it reaches below 5, so no more of 5 follow
    twins = [fill(4), fill(5), fill(5), fill(8), fill(9)]
    provider = Provider(twins, 3)
    sweep, pages = run(provider)
    assert sweep.failure is None
    assert provider.requests[-1] == Request(T + 4, T + 5, 3)
    assert most_on_a_page(pages)["5-0"] == 2


def test_where_one_page_has_to_do_it_is_a_large_one() -> None:
    """By time, and for a second with twins on two pages; otherwise pages are small, for the sake of live orders."""
    provider = Provider([fill(5), fill(5), fill(5)], 2, most=4)
    sweep, pages = run(provider)
    assert sweep.failure is None
    assert most_on_a_page(pages)["5-0"] == 3
    assert [request.limit for request in provider.requests] == [2, 2, 4]
    provider = Provider([fill(5, content) for content in range(4)], 2, ["no-cursor"] * 9, most=5)
    sweep, pages = run(provider)
    assert (sweep.failure, len(seqs(pages))) == (None, 4)


def test_twins_with_log_index_need_no_second_look() -> None:
    """The index tells them apart, wherever they are."""
    provider = Provider([fill(5, 0, 7), fill(5, 0, 8)], 1)
    sweep, pages = run(provider)
    assert sweep.failure is None
    assert len(pages) == 2


def test_a_second_that_never_comes_whole_fails_the_pass() -> None:
    """Three attempts; the count of its twins would be a guess."""
    provider = Provider([fill(5), fill(5), fill(5)], 2)
    sweep, _ = run(provider)
    assert sweep.failure == "crowded-second"
    assert len(provider.requests) == 2 + 3


def test_a_whole_second_must_come_in_order() -> None:
    """Else rows of it may follow those of the second before."""
    sweep = Pass(WALLET, T * 1000, (T + 9) * 1000, limit=1, most=3)
    for more in (True, False):
        sweep.answered(PageRows([fill(5)], "next", more=more))
    for _ in range(3):
        assert sweep.request == Request(T + 4, T + 5, 3)
        sweep.answered(PageRows([fill(4), fill(5), fill(4)], "next", more=True))
    assert sweep.failure == "crowded-second"


def test_times_may_be_integral_floats() -> None:
    """As `parse_order` takes them: JSON has one number type."""
    sweep = Pass(WALLET, T * 1000, (T + 9) * 1000, limit=1, most=3)
    page = sweep.answered(PageRows([fill(5) | {"timestamp": T + 5.0}, fill(5) | {"timestamp": T + 50.0}], more=True))
    assert (len(page.rows), page.ignored) == (1, 1)
    assert sweep.request == Request(T, T + 6, 3)


def test_unreadable_rows_are_kept_and_foreign_ones_counted() -> None:
    """A row nobody can read becomes a dead letter; one that nobody asked for does not."""
    broken: list[Row] = [{}, {"user": WALLET.upper(), "timestamp": "soon"}, {"user": 5, "timestamp": T + 1.0}]
    others: list[Row] = [{"user": "0x" + "b" * 40}, {"user": WALLET, "timestamp": T - 1}]
    page = Pass(WALLET, T * 1000, (T + 1) * 1000, limit=9, most=9).answered(
        PageRows([*broken, *others], None, more=False)
    )
    assert page == Page(tuple(broken), 2)


def test_a_pass_that_is_over_takes_nothing() -> None:
    """Answering it is a defect of the caller."""
    sweep = Pass(WALLET, 0, 1000, limit=1, most=1)
    sweep.answered(PageRows([], None, more=False))
    with pytest.raises(AssertionError):
        sweep.answered(PageRows([]))
    with pytest.raises(AssertionError):
        sweep.refused()
