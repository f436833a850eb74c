"""The book and the history behind it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.book import Book

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "user": st.sampled_from(["0xA", "0xb", "0xC"]),
            "condition_id": st.sampled_from(["0x1", "0x2", None, ""]),
            "market_slug": st.sampled_from(["one", "two"]),
            "token_id": st.sampled_from(["7", "8"]),
            "timestamp": st.integers(1_700_000_000, 1_700_000_020),
        }
    ),
    max_size=60,
)


def book_of(rows: list[dict[str, object]]) -> Book:
    """Return a book in which the rows were executed in order."""
    book = Book()
    for number, row in enumerate(rows):
        book.add(row, executed_ns=number, rest_ns=number)
    return book


@given(ROWS, st.integers(1, 7))
def test_orders_page_by_sequence_number_without_loss(rows: list[dict[str, object]], limit: int) -> None:
    """Asking `after` the last sequence number seen returns every order once, in order."""
    book = book_of(rows)
    seen: list[int] = []
    while page := [order.seq for order in book.orders_after(seen[-1] if seen else 0, limit)]:
        seen += page
    assert seen == list(range(1, len(rows) + 1))
    assert [order.row for order in book.orders] == rows


@given(
    ROWS,
    st.sampled_from([None, ("user", "0xa"), ("condition_id", "0x1"), ("market_slug", "two"), ("token_id", "9")]),
    st.none() | st.integers(1_700_000_000, 1_700_000_020),
    st.none() | st.integers(1_700_000_000, 1_700_000_020),
)
def test_history_equals_a_scan_of_the_book(
    rows: list[dict[str, object]], filtered: tuple[str, str] | None, start: int | None, end: int | None
) -> None:
    """Filters and inclusive times give what a scan of everything gives, newest first."""
    book = book_of(rows)
    expected = sorted(
        (
            (order.timestamp, order.seq)
            for order in book.orders
            if (filtered is None or getattr(order, filtered[0]) == filtered[1])
            and (start is None or order.timestamp >= start)
            and (end is None or order.timestamp <= end)
        ),
        reverse=True,
    )
    assert list(book.history.newest_first(filtered, start=start, end=end)) == expected  # type: ignore[arg-type]


def test_reached_counts_an_order_once_and_only_if_it_arrived_intact() -> None:
    """An order that arrived twice is one; one that was garbled or lost is none."""
    book = book_of([{"user": "0xa", "timestamp": 1_700_000_000}] * 3)
    for order, reached in ((1, True), (2, False), (1, True), (3, True), (2, False)):
        book.delivered(order, connection=1, subscription="sub_1", at_ns=5, reached=reached, fault=None)
    assert [order.seq for order in book.reached()] == [1, 3]
    assert [delivery.seq for delivery in book.deliveries_after(3, 10)] == [4, 5]


def test_the_socket_can_be_given_less_than_rest() -> None:
    """With the switch off, socket events lack the block fields that REST rows keep."""
    row = {"user": "0xa", "timestamp": 1_700_000_000, "block_number": 5, "log_index": 6}
    order = Book().add(row, executed_ns=0, rest_ns=0, socket_indexes=False)
    assert order.wire == b'{"user":"0xa","timestamp":1700000000}'
    assert order.row == row


@given(st.integers(0, 5), st.integers(0, 40), st.integers(0, 45), st.integers(1, 9))
def test_a_bounded_book_keeps_the_last_deliveries(keep: int, number: int, after: int, limit: int) -> None:
    """At least as many as asked and at most twice that; numbered, counted and paged as if all were there."""
    book = Book(keep_deliveries=keep)
    for order in range(1, number + 1):
        book.delivered(order, connection=1, subscription="s", at_ns=order, reached=True, fault=None)
    kept = [delivery.seq for delivery in book.deliveries]
    assert book.delivered_in_all == number
    assert kept == list(range(number - len(kept) + 1, number + 1))
    assert min(keep, number) <= len(kept) <= 2 * keep
    assert [each.seq for each in book.deliveries_after(after, limit)] == [seq for seq in kept if seq > after][:limit]
