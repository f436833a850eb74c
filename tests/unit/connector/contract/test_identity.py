from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from connector.contract.identity import content_id, event_id, split_event_id
from connector.contract.order import parse_order
from tests.support.orders import orders_data

VECTORS = json.loads((files("connector.contract") / "examples" / "event_ids.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["about"])
def test_vectors(vector: dict[str, Any]) -> None:
    """The published vectors hold: other implementations can rely on them."""
    content = content_id(parse_order(vector["order"]))
    assert event_id(content, vector["occurrence"]) == vector["event_id"]
    assert content == hashlib.sha256(vector["preimage"].encode()).hexdigest()[:32]


def test_vectors_cover_what_can_go_wrong() -> None:
    """Upper case, missing fields, rounding and twins are among the vectors, and they tell ids apart."""
    about = " ".join(vector["about"] for vector in VECTORS)
    assert all(word in about for word in ("recorded", "upper case", "without any optional", "rounded", "twin"))
    assert len({vector["event_id"] for vector in VECTORS}) == 6


IDENTIFYING = ("tx_hash", "user", "token_id", "side", "shares", "price")


@given(orders_data(), orders_data())
def test_only_identifying_fields_count(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two orders that agree on the six identifying fields have one content id, whatever the rest says."""
    mixed = other | {name: one[name] for name in IDENTIFYING}
    assert content_id(parse_order(mixed)) == content_id(parse_order(one))


@given(orders_data(), orders_data(), st.sampled_from(IDENTIFYING))
def test_each_identifying_field_counts(one: dict[str, Any], other: dict[str, Any], field: str) -> None:
    """A different value in any of the six gives another content id, prices from a micro-USDC apart on."""
    first, second = parse_order(one), parse_order(one | {field: other[field]})
    attribute = "price_micros" if field == "price" else field
    differ = getattr(first, attribute) != getattr(second, attribute)
    assert (content_id(first) != content_id(second)) == differ


@given(orders_data(), st.integers(0, 999_999_999))
def test_an_event_id_can_be_taken_apart(data: dict[str, Any], occurrence: int) -> None:
    """Content and occurrence come back as they were."""
    content = content_id(parse_order(data))
    assert split_event_id(event_id(content, occurrence)) == (content, occurrence)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 32,
        "a" * 32 + "-",
        "a" * 32 + "-01",
        "A" * 32 + "-1",
        "a" * 33 + "-1",
        "a" * 32 + "-1\n",
        "a" * 32 + "-" + "9" * 10,
    ],
)
def test_what_is_no_event_id_is_refused(text: str) -> None:
    """The error says what was expected."""
    with pytest.raises(InvalidRecord, match="event_id: expected 32 hex digits, a dash and a number"):
        split_event_id(text)
