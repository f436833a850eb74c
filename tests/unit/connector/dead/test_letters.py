from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from connector.contract.provenance import Provenance
from connector.contract.record import MAX_RAW, dead_record, encode
from connector.dead.letters import UNREADABLE, Letter, as_json, read_letter, table
from connector.dead.reread import Found, Result, outcomes, reread
from connector.settings import PROVIDERS
from tests.support.orders import WALLET, order_data

SECOND = 1_767_556_295


def letter(raw: bytes, *, reason: str = "invalid-order", key: bytes | None = None, **provenance: Any) -> Letter:
    """Return the letter of these bytes, as if read from the topic."""
    told: dict[str, Any] = {
        "source": "ws",
        "provider": "dome",
        "received_ns": SECOND * 10**9,
        "subscription_id": "sub_1",
    }
    record = dead_record(
        raw, reason=reason, detail="\x1b[2J", field="shares", provenance=Provenance(**told | provenance)
    )
    return read_letter(partition=3, offset=7, at_ms=SECOND * 1000, key=key, value=encode(record))


def event(**changes: Any) -> bytes:
    """Return the frame of an order."""
    return json.dumps({"type": "event", "subscription_id": "sub_1", "data": order_data(**changes)}).encode()


def text_of(drawn: object) -> str:
    """Return a table as text."""
    console = Console(file=StringIO(), width=250, color_system=None)
    console.print(drawn)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_letter_tells_its_wallet_as_far_as_it_is_known() -> None:
    """By its key, else by its bytes, be they JSON or not."""
    assert letter(event(), key=b"0xabc").wallet == "0xabc"
    assert letter(event(user=WALLET.upper().replace("0X", "0x"))).wallet == WALLET
    assert letter(event()[:-9]).wallet == WALLET
    assert letter(b"{").wallet is None


@pytest.mark.parametrize("value", [b"{", None, b'{"schema":1}', b"\xff"])
def test_what_is_no_letter_is_shown_as_one(value: bytes | None) -> None:
    """Nothing in the topic is passed over, and replaying leaves it alone."""
    found = read_letter(partition=0, offset=1, at_ms=0, key=None, value=value)
    assert (found.record, found.reason, found.raw) == (None, UNREADABLE, b"")
    assert found.fault
    result = reread(found, PROVIDERS)
    assert isinstance(result, Result)
    assert result.outcome == "held"


def test_letters_are_shown_to_people_and_programs() -> None:
    """A line with what is at fault; strangers' texts steer no terminal; programs get the record as it is."""
    shown = text_of(table([letter(event())], total=9))
    assert shown.startswith("dead letters, the latest 1 of 9")
    for part in ("3:7", "2026-01-04 19:51:35", "invalid-order", "shares", WALLET, "\N{REPLACEMENT CHARACTER}[2J"):
        assert part in shown
    (row,) = json.loads(as_json([letter(event())]))
    assert (row["partition"], row["offset"], row["at_ms"], row["wallet"]) == (3, 7, SECOND * 1000, WALLET)
    assert row["letter"]["reason"] == "invalid-order"


def test_an_order_that_is_valid_now_is_found() -> None:
    """With where it came from; frames of sockets and rows of REST alike."""
    found = reread(letter(event()), PROVIDERS)
    assert isinstance(found, Found)
    assert (found.order.user, found.order.shares) == (WALLET, 6_000_000)
    assert found.provenance == Provenance(
        source="replay", provider="dome", received_ns=SECOND * 10**9, subscription_id="sub_1"
    )
    row = reread(letter(json.dumps(order_data()).encode(), source="backfill", subscription_id=None), PROVIDERS)
    assert isinstance(row, Found)
    assert row.order == found.order


def test_a_timestamp_in_the_future_is_not_trusted() -> None:
    """Looking for the order begins when its letter came, at the latest."""
    for timestamp, known_from in ((SECOND - 5, SECOND - 5), (SECOND + 10**6, SECOND)):
        found = reread(letter(event(timestamp=timestamp)), PROVIDERS)
        assert isinstance(found, Found)
        assert found.known_from_ms == known_from * 1000


@pytest.mark.parametrize(
    ("raw", "provenance", "outcome", "said"),
    [
        (event(shares=0), {}, "still bad", "shares: expected an integer"),
        (b"{", {}, "still bad", "bad-json"),
        (b"[]", {}, "still bad", "not-an-object"),
        (b'{"type":"surprise"}', {}, "still bad", "unknown-type"),
        (event() + b" " * MAX_RAW, {}, "still bad", "only the first 262144 of its"),
        (b'{"type":"ack","subscription_id":"sub_1"}', {}, "held", "not an order: ack"),
        (b'{"type":"error","code":"X","message":"no"}', {}, "held", "not an order: refusal"),
        (event(), {"provider": "nobody"}, "held", "'nobody' is unknown"),
        (b"[]", {"source": "backfill"}, "still bad", "not-an-object"),
        (event(), {"source": "backfill"}, "still bad", "shares: is missing"),
    ],
)
def test_why_a_letter_stays_is_said(raw: bytes, provenance: dict[str, Any], outcome: str, said: str) -> None:
    """Still bad: today's code cannot read it either. Held: it is something else than an order."""
    result = reread(letter(raw, **provenance), PROVIDERS)
    assert isinstance(result, Result)
    assert result.outcome == outcome
    assert said in result.detail


def test_letters_of_our_own_topics_are_held() -> None:
    """What streams could not read came from a topic, and is there still."""
    record = dead_record(event(), reason="bad-record", detail="", provenance=Provenance(
        source="ws", provider="dome", received_ns=1
    ))  # fmt: skip
    value = encode(record).replace(b'"origin":"ws"', b'"origin":"orders.v1/3/77"')
    result = reread(read_letter(partition=0, offset=0, at_ms=0, key=None, value=value), PROVIDERS)
    assert result == Result("held", "not from a provider, but from orders.v1/3/77")


def test_outcomes_are_counted() -> None:
    """Most frequent first, with a line for each letter."""
    results = {"0:1": Result("held", "a"), "0:2": Result("published", "b"), "1:0": Result("held", "c")}
    shown = text_of(outcomes(results)).splitlines()
    assert shown[0].strip() == "2 held, 1 published"
    assert [line.split()[0] for line in shown[2:]] == ["0:1", "0:2", "1:0"]
    assert text_of(outcomes({})).startswith("no such letters")
