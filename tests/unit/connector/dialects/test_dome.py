from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.order import parse_order
from connector.dialects import Ack, Event, Refusal, Unreadable, connection_url
from connector.dialects.dome import Dome
from connector.packing import Quota
from tests.support.orders import JSON, WALLET

DOME = Dome()
RECORDED = (files("connector.simulator") / "data" / "dome_events_recorded.jsonl").read_text("utf-8").splitlines()


def test_frames_are_those_of_the_documentation() -> None:
    """Every key the documentation calls required, and no other."""
    assert json.loads(DOME.subscribe([WALLET])) == {
        "action": "subscribe",
        "platform": "polymarket",
        "version": 1,
        "type": "orders",
        "filters": {"users": [WALLET]},
    }
    assert json.loads(DOME.update("sub_1", [WALLET])) == {
        "action": "update",
        "subscription_id": "sub_1",
        "platform": "polymarket",
        "version": 1,
        "type": "orders",
        "filters": {"users": [WALLET]},
    }
    assert json.loads(DOME.unsubscribe("sub_1")) == {"action": "unsubscribe", "version": 1, "subscription_id": "sub_1"}


@pytest.mark.parametrize("line", RECORDED)
def test_recorded_events_are_orders(line: str) -> None:
    """What Dome really sent is understood, field by field."""
    frame = json.loads(line)
    message = DOME.classify(frame)
    assert message == Event(frame["data"], frame["subscription_id"])
    assert parse_order(frame["data"]).user == WALLET


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"type": "ack", "subscription_id": "sub_1"}, Ack("sub_1")),
        ({"type": "ack"}, Unreadable("bad-frame", "an ack without subscription_id")),
        ({"type": "ack", "subscription_id": 7}, Unreadable("bad-frame", "an ack without subscription_id")),
        ({"type": "event", "data": {"a": 1}}, Event({"a": 1}, None)),
        ({"type": "event"}, Unreadable("bad-frame", "an event's data should be an object, got None")),
        ({"type": "error", "code": "RATE_LIMIT", "message": "slow"}, Refusal("RATE_LIMIT", "slow")),
        ({"type": "error", "error": "no"}, Refusal("ERROR", "no")),
        ({"type": "error", "subscription_id": "sub_1"}, Refusal("ERROR", "no message", "sub_1")),
        ({"type": "heartbeat"}, Unreadable("unknown-type", "type 'heartbeat'")),
        ({}, Unreadable("unknown-type", "type None")),
    ],
)
def test_meanings(frame: dict[str, Any], message: object) -> None:
    """Acks, events and errors as documented or guessed; the rest is unreadable, with a reason."""
    assert DOME.classify(frame) == message


@given(st.fixed_dictionaries({"type": st.sampled_from(["ack", "event", "error", "x"]) | JSON}), st.data())
def test_no_frame_makes_it_raise(frame: dict[str, Any], data: st.DataObject) -> None:
    """Whatever the fields hold, a frame gets a meaning."""
    names = ("subscription_id", "data", "code", "message", "error")
    frame |= {name: data.draw(JSON) for name in names if data.draw(st.booleans())}
    assert isinstance(DOME.classify(frame), Ack | Event | Refusal | Unreadable)


def test_quotas_are_the_documented_ones() -> None:
    """Free 2 x 5, Dev 500 x 500."""
    assert DOME.quotas == {"free": Quota(2, 5), "dev": Quota(500, 500)}


def test_the_key_is_quoted_into_the_path() -> None:
    """A key with a slash stays one path segment."""
    assert connection_url(DOME.default_url, "a/b c") == "wss://ws.domeapi.io/a%2Fb%20c"
