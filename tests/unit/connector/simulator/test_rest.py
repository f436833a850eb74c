"""REST pages and their documented errors."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.book import Book
from connector.simulator.dialect import Dome
from connector.simulator.rest import Query, RestError, page
from connector.simulator.settings import Switches

DOME = Dome()
START = 1_700_000_000
TIMES = st.lists(st.integers(START, START + 5), max_size=40)


def book_of(times: list[int]) -> Book:
    """Return a book with one order of wallet 0xa or 0xb per time."""
    book = Book()
    for number, timestamp in enumerate(times):
        row = {"user": f"0x{'ab'[number % 2]}", "timestamp": timestamp, "tx_hash": f"0x{number}", "token_id": "7"}
        book.add(row, executed_ns=number, rest_ns=number)
    return book


def query_of(params: dict[str, str]) -> Query:
    """Return what the parameters ask for."""
    return DOME.query(params, Switches())


def get(book: Book, params: dict[str, str], *, now_ns: int = 10**9, partial: bool = False) -> dict[str, Any]:
    """Return the decoded page for the parameters."""
    body: dict[str, Any] = orjson.loads(DOME.body(page(book, query_of(params), now_ns=now_ns, partial=partial)))
    return body


def walk(book: Book, params: dict[str, str], *, partial: bool = False) -> list[dict[str, Any]]:
    """Follow the cursor to the end and return all rows."""
    body = get(book, params, partial=partial)
    rows = list(body["orders"])
    while body["pagination"]["has_more"]:
        body = get(book, params | {"pagination_key": body["pagination"]["pagination_key"]}, partial=partial)
        assert body["orders"], "a page that promised more was empty"
        rows += body["orders"]
    assert "pagination_key" not in body["pagination"]
    return rows


@given(TIMES, st.integers(1, 50), st.booleans())
def test_paging_returns_every_row_once_newest_first(times: list[int], limit: int, partial: bool) -> None:  # noqa: FBT001
    """Whatever the page size, and with short pages too, the pages together are the whole."""
    book = book_of(times)
    rows = walk(book, {"limit": str(limit)}, partial=partial)
    expected = sorted(book.orders, key=lambda order: (order.timestamp, order.seq), reverse=True)
    assert rows == [order.row for order in expected]


@given(
    TIMES,
    st.integers(START, START + 5),
    st.integers(START, START + 5),
    st.integers(1, 9),
    st.sampled_from([{"user": "0xA"}, {"user": "0xA", "token_id": "7"}, {"token_id": "7"}, {"token_id": "8"}, {}]),
)
def test_filters_hold_on_every_page(
    times: list[int], start: int, end: int, limit: int, filters: dict[str, str]
) -> None:
    """Wallet, token and both inclusive times restrict all pages alike; the total says how many there are."""
    book = book_of(times)
    params = {**filters, "start_time": str(start), "end_time": str(end), "limit": str(limit)}
    if start >= end:
        with pytest.raises(RestError, match="start_time must be less than end_time"):
            query_of(params)
        return
    rows = walk(book, params)
    expected = [
        order.row
        for order in book.orders
        if start <= order.timestamp <= end
        and order.user == filters.get("user", order.user).lower()
        and order.token_id == filters.get("token_id", order.token_id)
    ]
    assert sorted(rows, key=str) == sorted(expected, key=str)
    assert get(book, params)["pagination"]["total"] == len(expected)


def test_new_orders_do_not_shift_later_pages() -> None:
    """An order executed between two pages neither repeats nor hides an older row."""
    book = book_of([START, START + 1, START + 2])
    first = get(book, {"limit": "2"})
    book.add({"user": "0xa", "timestamp": START + 3, "tx_hash": "0xnew"}, executed_ns=9, rest_ns=9)
    second = get(book, {"limit": "2", "pagination_key": first["pagination"]["pagination_key"]})
    assert [row["timestamp"] for row in first["orders"] + second["orders"]] == [START + 2, START + 1, START]


def test_a_late_row_shows_up_when_its_time_has_come() -> None:
    """REST hides an order until `rest_ns`, and does not count it."""
    book = Book()
    book.add({"user": "0xa", "timestamp": START}, executed_ns=10, rest_ns=20)
    hidden = get(book, {}, now_ns=19)
    assert (hidden["orders"], hidden["pagination"]["total"]) == ([], 0)
    assert len(get(book, {}, now_ns=20)["orders"]) == 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": "0"}, "limit must be between 1 and 1000"),
        ({"limit": "1001"}, "limit must be between 1 and 1000"),
        ({"limit": "ten"}, "Invalid limit"),
        ({"start_time": "yesterday"}, "Invalid start_time"),
        ({"start_time": "5", "end_time": "5"}, "start_time must be less than end_time"),
        ({"token_id": "1", "condition_id": "0x2"}, "Only one of"),
        ({"offset": "-1"}, "offset"),
        ({"pagination_key": "nonsense"}, "Invalid pagination_key"),
        ({"pagination_key": "e30="}, "Invalid pagination_key"),
    ],
)
def test_wrong_parameters_are_answered_400_by_name(params: dict[str, str], message: str) -> None:
    """Each documented fault is a 400 that says which parameter is wrong."""
    with pytest.raises(RestError, match=message) as caught:
        query_of(params)
    assert caught.value.status == 400
    assert set(orjson.loads(caught.value.body)) == {"error", "message"}


def test_an_offset_above_ten_thousand_is_answered_401() -> None:
    """So it is documented, with a pointer to the docs; 10,000 itself is allowed."""
    with pytest.raises(RestError) as caught:
        query_of({"offset": "10001"})
    assert caught.value.status == 401
    assert set(orjson.loads(caught.value.body)) == {"error", "message", "docs"}
    assert query_of({"offset": "10000"}).offset == 10_000


def test_a_filter_can_be_required() -> None:
    """The documentation contradicts itself on queries without any filter, so it is a switch."""
    demanding = Switches(rest_requires_filter=True)
    with pytest.raises(RestError, match="At least one"):
        DOME.query({}, demanding)
    assert DOME.query({"user": "0xA"}, demanding).user == "0xa"
    assert query_of({}).user is None


def test_the_cursor_decodes_to_the_documented_fields() -> None:
    """A client that looks inside finds what the documentation's sample holds."""
    key = get(book_of([START, START]), {"limit": "1"})["pagination"]["pagination_key"]
    assert orjson.loads(base64.b64decode(key)) == {
        "block_timestamp": "2023-11-14T22:13:20.000Z",
        "tx_hash": "0x1",
        "log_index": None,
        "total": 2,
        "seq": 2,
    }
