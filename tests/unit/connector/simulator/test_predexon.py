"""Predexon's side of the simulator: frames, limits, events, REST rows."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson
import pytest

from connector.dialects import Event, Ignored
from connector.dialects.predexon import Predexon as ClientDialect
from connector.simulator.book import Book, Executed
from connector.simulator.predexon import Predexon
from connector.simulator.protocol import Accepted, Rejected, ServerSession
from connector.simulator.rest import RestError, page
from connector.simulator.settings import Switches
from connector.simulator.tiers import PREDEXON_DEV, PREDEXON_PRO, Quota, Tier

A, B = "0xa", "0xb"
PREDEXON = Predexon()
ROW = {
    "user": A,
    "token_label": "Up",
    "shares": 1_234_567,
    "shares_normalized": 1.234567,
    "price": 0.5,
    "tx_hash": "0x1",
    "timestamp": 1_700_000_000,
    "block_number": 7,
    "log_index": 542,
}


def order(**changes: Any) -> Executed:
    """Return an executed order."""
    return Book().add(ROW | changes, executed_ns=0, rest_ns=0)


def session_of(tier: Tier) -> ServerSession:
    """Return a session whose subscription ids count up."""
    ids = count(1)
    return ServerSession(dialect=PREDEXON, quota=Quota(tier), switches=Switches(), new_id=lambda: f"sub_{next(ids)}")


def ask(session: ServerSession, action: str, **more: Any) -> str:
    """Return `ok`, or the code of the refusal."""
    full = {"platform": "polymarket", "version": 1, "type": "orders"} if action == "subscribe" else {}
    answer = session.receive(orjson.dumps({"action": action, **full, **more}))
    if isinstance(answer, Rejected):
        return answer.code
    assert isinstance(answer, Accepted)
    session.activate(answer)
    return "ok"


def test_updates_and_unsubscribes_need_no_platform() -> None:
    """Only action, id and filters; a subscribe without platform is refused."""
    session = session_of(PREDEXON_DEV)
    assert ask(session, "subscribe", filters={"users": [A]}) == "ok"
    assert ask(session, "update", subscription_id="sub_1", filters={"users": [B]}) == "ok"
    assert session.matching(order(user=B)) == ["sub_1"]
    assert ask(session, "unsubscribe", subscription_id="sub_1") == "ok"
    assert ask(session, "subscribe", platform=None, filters={"users": [A]}) == "PARSE_ERROR"


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"users": [A], "status": "confirmed"}, "ok"),
        ({"users": [A], "condition_ids": ["0x1"]}, "INVALID_FILTERS"),
        ({"status": "confirmed"}, "INVALID_FILTERS"),
        ({"users": [A], "status": "final"}, "INVALID_FILTERS"),
        ({"users": [A], "status": "all"}, "PLAN_REQUIRED"),
        ({"users": ["*"]}, "WILDCARD_NOT_ALLOWED"),
        ({"users": [str(number) for number in range(11)]}, "ITEMS_PER_SUB_LIMIT"),
    ],
)
def test_filters_of_the_dev_plan(filters: dict[str, Any], code: str) -> None:
    """Exactly one list, of ten at most, and a status that the plan has."""
    assert ask(session_of(PREDEXON_DEV), "subscribe", filters=filters) == code


def test_entries_are_limited_in_all() -> None:
    """
    A plan of 3 entries in all; what an update or an unsubscribe frees can be used again.

    entries   2  +2 refused  2->1  1+2  3->+1 refused  unsubscribe 1  2+1
    """
    session = session_of(Tier(subscriptions=9, items=9, total=3, wildcard=False, requests=((1.0, 1),)))
    assert ask(session, "subscribe", filters={"users": [A, B]}) == "ok"
    assert ask(session, "subscribe", filters={"users": ["1", "2"]}) == "ITEMS_LIMIT"
    assert ask(session, "update", subscription_id="sub_1", filters={"users": [A]}) == "ok"
    assert ask(session, "subscribe", filters={"users": ["1", "2"]}) == "ok"
    assert ask(session, "update", subscription_id="sub_1", filters={"users": [A, B]}) == "ITEMS_LIMIT"
    assert ask(session, "unsubscribe", subscription_id="sub_1") == "ok"
    assert ask(session, "subscribe", filters={"users": [B]}) == "ok"


def test_an_event_says_the_same_order_to_our_dialect() -> None:
    """Hex index and no block on the wire; decoded, the row again, but for its block."""
    frame = orjson.loads(PREDEXON.event("sub_1", PREDEXON.data(order())))
    assert frame["data"]["log_index"] == "0x21e"
    message = ClientDialect().classify(frame)
    assert isinstance(message, Event)
    assert {name: message.data.get(name) for name in ROW} == ROW | {"block_number": None}


def test_an_order_without_index_has_a_null_one() -> None:
    """As feeds without indexes send it."""
    assert orjson.loads(PREDEXON.data(order(log_index=None)))["log_index"] is None


def test_pending_events_and_refunds_are_switches_or_asked_for() -> None:
    """A confirmed subscription gets neither by default; our dialect counts and ignores both."""
    plain, noisy = Switches(), Switches(pending=True, fee_refunds=True)
    assert PREDEXON.before(order(), "confirmed", plain) == PREDEXON.after(order(), plain) == []
    assert len(PREDEXON.before(order(), "all", plain)) == 1
    (pending,), (refund,) = PREDEXON.before(order(), "confirmed", noisy), PREDEXON.after(order(), noisy)
    assert not {"log_index", "side", "price", "shares", "timestamp"} & set(orjson.loads(refund))
    classify = ClientDialect().classify
    meanings = [classify(orjson.loads(PREDEXON.event("sub_1", data))) for data in (pending, refund)]
    assert meanings == [Ignored("pending"), Ignored("fee_refund")]


def test_rest_rows_are_the_order_to_our_dialect() -> None:
    """Normalized shares and no indexes on the wire; the page says how to go on."""
    book = Book()
    for number in range(3):
        book.add(ROW | {"tx_hash": str(number)}, executed_ns=0, rest_ns=0)
    body = orjson.loads(PREDEXON.body(page(book, PREDEXON.query({"wallet": A, "limit": "2"}, Switches()), now_ns=1)))
    assert {"shares": 1.234567, "outcome_label": "Up"}.items() <= body["trades"][0].items()
    assert not {"log_index", "block_number"} & set(body["trades"][0])
    assert {"limit": 2, "count": 2, "has_more": True}.items() <= body["pagination"].items()
    rows = ClientDialect().rest_page(body)
    assert [row["tx_hash"] for row in rows.rows] == ["2", "1"]
    assert {row["shares"] for row in rows.rows} == {ROW["shares"]}
    assert rows.cursor is not None
    rest = PREDEXON.query({"wallet": A, "limit": "2", "pagination_key": rows.cursor}, Switches())
    assert [each.row["tx_hash"] for each in page(book, rest, now_ns=1).orders] == ["0"]


@pytest.mark.parametrize("params", [{"limit": "501"}, {"order": "asc"}])
def test_wrong_rest_parameters_are_named(params: dict[str, str]) -> None:
    """A page has 500 rows at most; only the default order is simulated."""
    with pytest.raises(RestError, match=next(iter(params))):
        PREDEXON.query(params, Switches())


def test_the_plans_are_the_documented_ones() -> None:
    """10 x 10 with 100 in all, 100 x 500 with 50,000 in all."""
    assert [(t.subscriptions, t.items, t.total) for t in (PREDEXON_DEV, PREDEXON_PRO)] == [
        (10, 10, 100),
        (100, 500, 50_000),
    ]
