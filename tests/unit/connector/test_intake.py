from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from connector.commands import Bury, Deliver
from connector.contract.provenance import Provenance
from connector.contract.record import decode_dead, decode_order
from connector.contract.topics import ORDERS, ORDERS_DEAD
from connector.dedupe import Dedupe, NoDedupe
from connector.intake import Intake
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from connector.intake import Outgoing

WS = Provenance(source="ws", provider="dome", received_ns=5, subscription_id="sub_1")


def deliver(intake: Intake, connection: int = 1, **changes: Any) -> Outgoing | None:
    """Let an order arrive."""
    data = order_data(**changes)
    return intake.order(Deliver(json.dumps(data).encode(), data, (connection, "sub_1"), WS))


def test_a_new_order_becomes_a_record() -> None:
    """Topic, key, identity and provenance as the contract says."""
    record = deliver(intake := Intake(Dedupe(10)), user=WALLET.upper().replace("X", "x"))
    assert record is not None
    assert (record.topic, record.key, record.provenance, record.fault) == (ORDERS, WALLET.encode(), WS, None)
    order = decode_order(record.value)
    assert (order.user, order.event_id[-2:], order.notional_micros) == (WALLET, "-0", 4_800_000)
    assert intake.counts == {"orders": 1}


def test_a_duplicate_becomes_nothing_but_a_count() -> None:
    """The same order after a reconnect is not published again."""
    intake = Intake(Dedupe(10))
    deliver(intake)
    assert deliver(intake, connection=2) is None
    assert intake.counts == {"orders": 1, "duplicates": 1}


def test_twins_are_numbered() -> None:
    """Two fills of equal content, told apart by log_index, share the content and differ in occurrence."""
    intake = Intake(Dedupe(10))
    records = [deliver(intake, log_index=index) for index in (7, 9)]
    first, second = (decode_order(record.value).event_id for record in records if record)
    assert first[:-2] == second[:-2]
    assert (first[-2:], second[-2:]) == ("-0", "-1")


def test_an_unsettled_twin_is_set_aside_with_its_bytes() -> None:
    """Without log_index a second equal frame goes to the dead letters, under the wallet's key."""
    intake = Intake(Dedupe(10))
    deliver(intake)
    record = deliver(intake)
    assert record is not None
    assert (record.topic, record.key) == (ORDERS_DEAD, WALLET.encode())
    letter = decode_dead(record.value)
    assert letter.reason == "unsettled-twin"
    assert record.fault is not None
    assert record.fault.startswith("unsettled-twin: ")
    assert intake.counts == {"orders": 1, "unsettled-twin": 1}


def test_an_invalid_order_is_buried_under_its_field() -> None:
    """The dead letter names the field, and holds bytes and provenance."""
    record = deliver(intake := Intake(Dedupe(10)), price=2)
    assert record is not None
    assert (record.topic, record.key) == (ORDERS_DEAD, None)
    letter = decode_dead(record.value)
    assert (letter.reason, letter.field, letter.subscription_id) == ("invalid-order", "price", "sub_1")
    assert record.fault == "invalid-order: price: expected a number in [0.0, 1.0], got 2"
    assert intake.counts == {"invalid-order": 1}


def test_an_invalid_order_does_not_count_as_seen() -> None:
    """The corrected order that follows is published."""
    intake = Intake(Dedupe(10))
    deliver(intake, price=None)
    record = deliver(intake)
    assert record is not None
    assert record.topic is ORDERS


def test_unreadable_frames_are_buried() -> None:
    """With the reason and detail the session found."""
    intake = Intake(Dedupe(10))
    record = intake.dead(Bury(b"{", "bad-json", "unexpected end", WS))
    assert (record.topic, record.key, record.fault) == (ORDERS_DEAD, None, "bad-json: unexpected end")
    assert decode_dead(record.value).received_ns == 5
    assert intake.counts == {"bad-json": 1}


def test_a_key_that_the_provider_quotes_is_masked() -> None:
    """Neither bytes nor detail of a dead letter bring it into the topic."""
    record = Intake(Dedupe(10), secret="s3cr3t").dead(Bury(b'{"error":"no s3cr3t"}', "provider-error", "no s3cr3t", WS))
    letter = decode_dead(record.value)
    assert base64.b64decode(letter.raw) == b'{"error":"no ***"}'
    assert (letter.detail, record.fault) == ("no ***", "provider-error: no ***")


def test_without_dedupe_every_delivery_is_published_under_the_same_id() -> None:
    """An audit that counts ids in the topic must find these."""
    intake = Intake(NoDedupe())
    ids = {decode_order(record.value).event_id for _ in range(3) if (record := deliver(intake, log_index=7))}
    assert len(ids) == 1
    assert intake.counts == {"orders": 3}
