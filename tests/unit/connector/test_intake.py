from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.commands import Bury, Deliver
from connector.contract.errors import InvalidOrder
from connector.contract.order import Order, parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import DeadRecord, OrderRecord, decode_dead, decode_order
from connector.contract.topics import ORDERS, ORDERS_DEAD
from connector.dedupe import Memory, NoDedupe
from connector.intake import Intake, Outgoing, Unsettled
from tests.support.orders import WALLET, order_data

WS = Provenance(source="ws", provider="dome", received_ns=5, subscription_id="sub_1")
REST = Provenance(source="backfill", provider="dome", received_ns=6, gap_id="g1")
SECOND = order_data()["timestamp"]
NOW = SECOND * 1000 + 900


def fresh_memory(floor_ms: int = 0) -> Memory:
    """Return a memory that knows everything from `floor_ms` on."""
    return Memory(100, floor_ms)


def frame(connection: int = 1, **changes: Any) -> Deliver:
    """Return an order as the session delivers it."""
    data = order_data(**changes)
    return Deliver(json.dumps(data).encode(), data, ("primary-0", connection, "sub_1"), WS)


def deliver(intake: Intake, memory: Memory, connection: int = 1, **changes: Any) -> Outgoing | Unsettled | None:
    """Let an order arrive and be decided."""
    delivery = frame(connection, **changes)
    order = intake.parse(delivery)
    assert isinstance(order, Order)
    return intake.decide(order, delivery, memory, NOW)


def order_of(record: Outgoing) -> OrderRecord:
    """Return the order of a record."""
    assert record.value is not None
    return decode_order(record.value)


def letter_of(record: Outgoing) -> DeadRecord:
    """Return the dead letter of a record."""
    assert record.value is not None
    return decode_dead(record.value)


def published(record: object) -> str:
    """Return the event id of what is certain to be an order's record."""
    assert isinstance(record, Outgoing)
    assert record.topic is ORDERS
    assert order_of(record).event_id == record.event_id
    return record.event_id or ""


def page(*rows: dict[str, Any]) -> list[Order]:
    """Return the orders of a REST page, newest first."""
    return [parse_order(order_data(**row)) for row in rows]


def test_a_new_order_becomes_a_record() -> None:
    """Topic, key, identity, provenance and partition as the contract says."""
    intake, delivery = Intake(), frame(user=WALLET.upper().replace("X", "x"))
    order = intake.parse(delivery)
    assert isinstance(order, Order)
    record = intake.decide(order, delivery, fresh_memory(), NOW, partition=3)
    assert isinstance(record, Outgoing)
    assert (record.topic, record.key, record.provenance, record.fault) == (ORDERS, WALLET.encode(), WS, None)
    assert record.partition == 3
    value = order_of(record)
    assert (value.user, value.event_id[-2:], value.notional_micros) == (WALLET, "-0", 4_800_000)
    assert intake.counts == {"orders": 1}


def test_an_order_knows_its_gap_and_its_wallets_label() -> None:
    """The gap's id and the label are in its provenance, all else is as delivered."""
    intake, delivery = Intake(), frame()
    record = intake.decide(parse_order(delivery.data), delivery, fresh_memory(), NOW, gap_id="g7", label="whale")
    assert isinstance(record, Outgoing)
    assert record.provenance == Provenance(
        source="ws", provider="dome", received_ns=5, subscription_id="sub_1", gap_id="g7", label="whale"
    )


def test_a_duplicate_becomes_nothing_but_a_count() -> None:
    """The same order after a reconnect is not published again."""
    intake, memory = Intake(), fresh_memory()
    deliver(intake, memory)
    assert deliver(intake, memory, connection=2) is None
    assert intake.counts == {"orders": 1, "duplicates": 1}


def test_twins_are_numbered() -> None:
    """Two fills of equal content, told apart by log_index, share the content and differ in occurrence."""
    intake, memory = Intake(), fresh_memory()
    first, second = (published(deliver(intake, memory, log_index=index)) for index in (7, 9))
    assert first[:-2] == second[:-2]
    assert (first[-2:], second[-2:]) == ("-0", "-1")


def test_a_second_equal_frame_is_a_matter_for_rest() -> None:
    """Without log_index nobody else can tell a twin from a redelivery; wallet and second are named."""
    intake, memory = Intake(), fresh_memory()
    deliver(intake, memory)
    assert deliver(intake, memory) == Unsettled(WALLET, SECOND, "twin")
    assert intake.counts == {"orders": 1, "twin": 1}


def test_rest_settles_a_twin() -> None:
    """Two rows prove the second fill, one row that it was the first again."""
    for rows, fresh in ((page({}, {}), 1), (page({}), 0)):
        intake, memory = Intake(), fresh_memory()
        deliver(intake, memory)
        deliver(intake, memory)
        settled = intake.rows(rows, memory, REST, NOW)
        assert [published(record)[-2:] for record in settled.fresh] == ["-1"] * fresh
        assert settled.known == 1


def test_an_order_older_than_the_memory_is_not_published() -> None:
    """
    It may have been published before what the memory knows.

    orders.v1:    ........|--------------------> now
                       ^  floor         ^
                     order            order: not published, or known
    """
    intake, memory = Intake(), fresh_memory(floor_ms=(SECOND - 100) * 1000)
    assert deliver(intake, memory, timestamp=SECOND - 101) == Unsettled(WALLET, SECOND - 101, "old-order")
    assert isinstance(deliver(intake, memory), Outgoing)
    assert intake.counts == {"orders": 1, "old-order": 1}


def test_an_old_order_that_is_remembered_is_a_duplicate() -> None:
    """Nothing is in doubt about what the memory holds."""
    intake, memory = Intake(), fresh_memory()
    record = deliver(intake, memory, timestamp=SECOND - 200)
    later = fresh_memory(floor_ms=(SECOND - 100) * 1000)
    later.absorb(published(record), None, NOW)
    assert deliver(intake, later, timestamp=SECOND - 200) is None


def test_rows_are_published_oldest_first() -> None:
    """By second, block and log index, whatever the page's order; equal ones in reverse of the page's order."""
    rows = page(
        {"timestamp": SECOND + 1, "shares": 5, "shares_normalized": None},
        {"shares": 4, "shares_normalized": None, "block_number": 8, "log_index": 1},
        {"shares": 2, "shares_normalized": None, "block_number": 7, "log_index": 2},
        {"shares": 3, "shares_normalized": None, "block_number": 7, "log_index": 9},
        {"shares": 1, "shares_normalized": None, "title": "the later of two that nothing tells apart"},
        {"shares": 1, "shares_normalized": None, "title": "the earlier"},
    )
    result = (intake := Intake()).rows(rows, fresh_memory(), REST, NOW, partition=2)
    values = [order_of(record) for record in result.fresh]
    assert [value.shares for value in values] == [1, 1, 2, 3, 4, 5]
    assert [value.title for value in values[:2]] == ["the earlier", "the later of two that nothing tells apart"]
    assert {(record.partition, record.provenance, record.key) for record in result.fresh} == {
        (2, REST, WALLET.encode())
    }
    assert intake.counts == {"backfilled": 6}


def test_of_rows_the_one_that_is_missing_is_published() -> None:
    """The socket brought log_index 9 of two twins; the second occurrence carries the row of 7."""
    intake, memory = Intake(), fresh_memory()
    deliver(intake, memory, log_index=9)
    result = intake.rows(page({"log_index": 9}, {"log_index": 7}), memory, REST, NOW)
    assert [order_of(record).log_index for record in result.fresh] == [7]
    assert (result.known, result.forgotten) == (1, 0)


def test_rows_older_than_the_memory_wait_until_it_is_deepened() -> None:
    """They are counted, nothing is decided about them; then they are."""
    intake, memory = Intake(), fresh_memory(floor_ms=SECOND * 1000)
    old = page({"timestamp": SECOND - 50, "log_index": 1}, {"timestamp": SECOND - 50, "log_index": 2})
    assert intake.rows(old, memory, REST, NOW) == ([], 0, 2)
    content = published(intake.rows(old, fresh_memory(), REST, NOW).fresh[0])[:-2]
    assert memory.deepened(WALLET, (SECOND - 60) * 1000, [(f"{content}-0", 1)], NOW)
    result = intake.rows(old, memory, REST, NOW)
    assert [published(record) for record in result.fresh] == [f"{content}-1"]
    assert (result.known, result.forgotten) == (1, 0)


def test_an_old_row_that_is_remembered_is_known() -> None:
    """Nothing is in doubt about what the memory holds, however old."""
    memory = fresh_memory(floor_ms=SECOND * 1000)
    old = page({"timestamp": SECOND - 50})
    memory.absorb(published(Intake().rows(old, fresh_memory(), REST, NOW).fresh[0]), None, NOW)
    assert Intake().rows(old, memory, REST, NOW) == ([], 1, 0)


@given(st.permutations([None, 7]), st.permutations([None, 7]))
def test_websocket_and_rest_yield_one_record(ws: list[int | None], rest: list[int | None]) -> None:
    """The same fill with and without log_index, from either side and in any order, is published once."""
    for rest_first in (True, False):
        intake, memory, records = Intake(), fresh_memory(), list[object]()
        for connection, (live, row) in enumerate(zip(ws, rest, strict=True)):
            for by_rest in (rest_first, not rest_first):
                if by_rest:
                    records += intake.rows(page({"log_index": row}), memory, REST, NOW).fresh
                else:
                    records.append(deliver(intake, memory, connection, log_index=live))
        assert [published(record)[-2:] for record in records if record is not None] == ["-0"]


def test_an_invalid_order_is_buried_under_its_field() -> None:
    """The dead letter names the field, and holds bytes and provenance."""
    record = (intake := Intake()).parse(frame(price=2))
    assert isinstance(record, Outgoing)
    assert (record.topic, record.key) == (ORDERS_DEAD, None)
    letter = letter_of(record)
    assert (letter.reason, letter.field, letter.subscription_id) == ("invalid-order", "price", "sub_1")
    assert record.fault == "invalid-order: price: expected a number in [0.0, 1.0], got 2"
    assert intake.counts == {"invalid-order": 1}


def test_unreadable_frames_are_buried() -> None:
    """With the reason and detail the session found."""
    intake = Intake()
    record = intake.dead(Bury(b"{", "bad-json", "unexpected end", WS))
    assert (record.topic, record.key, record.fault) == (ORDERS_DEAD, None, "bad-json: unexpected end")
    assert letter_of(record).received_ns == 5
    assert intake.counts == {"bad-json": 1}


def test_an_invalid_row_is_buried_once() -> None:
    """Every pass over the interval brings it again; another row has a letter of its own."""
    intake = Intake()
    error = InvalidOrder("price", "is missing")
    record = intake.row_dead({"price": None, "id": 1}, error, REST)
    assert record is not None
    letter = letter_of(record)
    assert (letter.origin, letter.field, base64.b64decode(letter.raw)) == (
        "backfill",
        "price",
        b'{"price":null,"id":1}',
    )
    assert intake.row_dead({"price": None, "id": 1}, error, REST) is None
    assert intake.row_dead({"price": None, "id": 2}, error, REST) is not None
    assert intake.counts == {"invalid-order": 2}


def test_the_memory_of_invalid_rows_is_bounded() -> None:
    """The latest 1,024 are known; older ones get another letter."""
    intake, error = Intake(), InvalidOrder("price", "is missing")
    for number in range(1025):
        assert intake.row_dead({"id": number}, error, REST) is not None
    assert intake.row_dead({"id": 1}, error, REST) is None
    assert intake.row_dead({"id": 0}, error, REST) is not None


@pytest.mark.parametrize("secret", ["s3cr3t", "s3c/r 3t", 's3"cr\\3t'])
def test_a_key_that_the_provider_quotes_is_masked(secret: str) -> None:
    """Neither bytes nor detail of a dead letter bring it into the topic."""
    raw = json.dumps({"error": f"no {secret}"}).encode()
    record = Intake(secrets=["other", secret]).dead(Bury(raw, "provider-error", f"no {secret}", WS))
    letter = letter_of(record)
    assert base64.b64decode(letter.raw) == b'{"error": "no ***"}'
    assert (letter.detail, record.fault) == ("no ***", "provider-error: no ***")


def test_without_dedupe_every_delivery_is_published_under_the_same_id() -> None:
    """An audit that counts ids in the topic must find these."""
    intake, memory = Intake(), NoDedupe(100, 0)
    assert len({published(deliver(intake, memory, log_index=7)) for _ in range(3)}) == 1
    assert intake.counts == {"orders": 3}
