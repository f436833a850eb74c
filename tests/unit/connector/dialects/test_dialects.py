"""What every dialect's fixtures say it means, and what holds for any dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.dialects import Event, Message, UnreadablePage, connection_url
from tests.support.dialects import DIALECTS
from tests.support.orders import JSON

FIXTURES: dict[str, Any] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "fixtures").glob("*.json")
}
each_dialect = pytest.mark.parametrize("name", DIALECTS)
MESSAGES = [(name, case) for name, fixture in FIXTURES.items() for case in fixture["messages"]]
FILLS = [pytest.param(name, case, id=f"{name}: {case['about']}") for name, f in FIXTURES.items() for case in f["fills"]]


def test_every_dialect_has_fixtures() -> None:
    """And no fixture lacks its dialect."""
    assert set(FIXTURES) == set(DIALECTS)


@each_dialect
def test_frames_are_those_of_the_documentation(name: str) -> None:
    """Every key the provider's documentation calls required, and no other."""
    dialect, fixture = DIALECTS[name], FIXTURES[name]
    wallets = [fixture["wallet"]]
    assert json.loads(dialect.subscribe(wallets)) == fixture["subscribe"]
    assert json.loads(dialect.update("sub_1", wallets)) == fixture["update"]
    assert json.loads(dialect.unsubscribe("sub_1")) == fixture["unsubscribe"]


@pytest.mark.parametrize(("name", "case"), MESSAGES)
def test_meanings(name: str, case: dict[str, Any]) -> None:
    """A frame is what the fixture says, field by field."""
    message = DIALECTS[name].classify(case["frame"])
    assert type(message).__name__ == case["meaning"]
    assert asdict(message) | case["fields"] == asdict(message)


@pytest.mark.parametrize(("name", "case"), FILLS)
def test_socket_and_rest_identify_a_fill_alike(name: str, case: dict[str, Any]) -> None:
    """Though they carry different fields, content and thereby `event_id` are the same."""
    event = DIALECTS[name].classify(case["event"])
    assert isinstance(event, Event)
    page = DIALECTS[name].rest_page({FIXTURES[name]["rest"]["list"]: [case["row"]], "pagination": {}})
    assert [content_id(parse_order(data)) for data in (event.data, *page.rows)] == [case["content"]] * 2


def test_dialects_identify_a_fill_alike() -> None:
    """The first vector is one real fill, told by each of them: a mirror may be another provider."""
    assert len({fixture["fills"][0]["content"] for fixture in FIXTURES.values()}) == 1


@each_dialect
def test_rest_requests_are_those_of_the_documentation(name: str) -> None:
    """Path, parameters with and without cursor, the place of the key, and what a page says of the next one."""
    dialect, fixture = DIALECTS[name], FIXTURES[name]
    expected = fixture["rest"]
    query = (fixture["wallet"], 1767556200, 1767556301, dialect.rest_page_limit)
    assert dialect.rest_query(*query, "CURSOR") == (expected["path"], expected["params"])
    assert "pagination_key" not in dialect.rest_query(*query, None)[1]
    assert dialect.rest_headers("k") == expected["headers"]
    page = dialect.rest_page(expected["page"])
    assert (len(page.rows), page.cursor, page.more) == (1, "CURSOR", True)


@each_dialect
@given(st.dictionaries(st.sampled_from(["type", "subscription_id", "data", "code", "message", "error"]), JSON))
def test_no_frame_makes_it_raise(name: str, frame: dict[str, Any]) -> None:
    """Whatever the fields hold, a frame gets a meaning."""
    for kind in ("ack", "event", "trade", "error", "connected", frame.get("type")):
        assert isinstance(DIALECTS[name].classify(frame | {"type": kind}), get_args(Message))


@each_dialect
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(["event_type", "status", "log_index", "shares", "x"], JSON)))
def test_no_data_makes_it_raise(name: str, data: dict[str, Any]) -> None:
    """Events and rows of any shape are mapped, left to `parse_order` or declined; only a page's shape is an error."""
    dialect = DIALECTS[name]
    assert isinstance(dialect.classify({"type": "event", "data": data}), get_args(Message))
    assert len(dialect.rest_page({FIXTURES[name]["rest"]["list"]: [data]}).rows) <= 1
    with pytest.raises(UnreadablePage):
        dialect.rest_page({FIXTURES[name]["rest"]["list"]: [data, None]})


@each_dialect
def test_every_tier_has_limits(name: str) -> None:
    """Quota and request rate are known by the same names."""
    dialect = DIALECTS[name]
    for tier in dialect.quotas:
        assert all(seconds > 0 and requests > 0 for seconds, requests in dialect.rest_limits(tier))


@each_dialect
def test_the_key_is_quoted_into_the_path(name: str) -> None:
    """A key with a slash stays one path segment."""
    url = DIALECTS[name].default_url
    assert connection_url(url, "a/b c") == url.replace("{key}", "a%2Fb%20c")


@given(st.integers(1, 10**15 - 1))
def test_normalized_shares_become_raw_ones_exactly(raw: int) -> None:
    """Up to a billion shares, to the micro share, whichever way the provider rounds its doubles."""
    (row,) = DIALECTS["predexon"].rest_page({"trades": [{"shares": raw / 1_000_000}]}).rows
    assert row["shares"] == raw
