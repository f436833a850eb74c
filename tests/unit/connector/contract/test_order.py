from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidOrder
from connector.contract.order import DOCUMENTED_FIELDS, parse_order
from tests.support.orders import JSON, order_data, orders_data


@given(orders_data())
def test_a_valid_order_keeps_every_field(data: dict[str, Any]) -> None:
    """Nothing the provider sent is dropped or changed, but letter case and empty texts."""
    order = parse_order(data)
    for name, value in data.items():
        if name not in DOCUMENTED_FIELDS:
            assert order.extra[name] == value
            continue
        kept = getattr(order, name)
        if isinstance(value, str) and name != "title" and not name.endswith("label") and name != "market_slug":
            assert (kept or "").lower() == value.lower()
        else:
            assert (kept or None) == (value or None)


@given(orders_data(), st.sampled_from(sorted(DOCUMENTED_FIELDS - {"shares_normalized"})), JSON)
def test_any_value_is_taken_or_refused_by_name(data: dict[str, Any], field: str, value: object) -> None:
    """Whatever a field holds, the order is read or the error names exactly that field."""
    try:
        parse_order(data | {field: value, "shares_normalized": None})
    except InvalidOrder as error:
        assert error.field == field  # noqa: PT017 - either outcome is right, this is what one must hold


@given(st.dictionaries(st.sampled_from(sorted(DOCUMENTED_FIELDS)), JSON | st.floats() | st.integers()))
def test_garbage_raises_nothing_but_invalid_order(data: dict[str, Any]) -> None:
    """No JSON object makes the reader fail in any other way."""
    try:
        parse_order(data)
    except InvalidOrder as error:
        assert error.field in DOCUMENTED_FIELDS  # noqa: PT017 - as above


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user": "0x12"}, "user: expected 0x and 40 hex digits, got '0x12'"),
        ({"user": None}, "user: is missing or null, a value is required"),
        ({"token_id": 5869.0}, "token_id: expected a 256-bit integer as a decimal string, got 5869.0"),
        ({"token_id": str(2**256)}, "token_id: expected a 256-bit integer"),
        ({"token_id": "١٢"}, "token_id: expected a 256-bit integer"),
        ({"side": "HOLD"}, "side: expected BUY or SELL, got 'HOLD'"),
        ({"shares": True}, "shares: expected an integer in [1, 9007199254740991], got True"),
        ({"shares": 0}, "shares: expected an integer in [1, "),
        ({"shares": 6.5}, "shares: expected an integer in [1, "),
        ({"price": 1.01}, "price: expected a number in [0.0, 1.0], got 1.01"),
        ({"price": float("nan")}, "price: expected a number in [0.0, 1.0], got nan"),
        ({"price": "0.8"}, "price: expected a number in [0.0, 1.0], got '0.8'"),
        (
            {"timestamp": 1_767_556_295_000},
            "timestamp: expected unix seconds, got 1767556295000: is it in milliseconds?",
        ),
        ({"timestamp": 5}, "timestamp: expected unix seconds after 2001, got 5"),
        ({"shares_normalized": 6_000_000}, "shares_normalized: expected shares / 1e6 = 6.0, got 6000000"),
        ({"shares_normalized": 10**400}, "shares_normalized: expected a number in"),
    ],
)
def test_errors_name_field_expectation_and_value(changes: dict[str, Any], message: str) -> None:
    """A refused order says which field, what was expected and what came, briefly."""
    with pytest.raises(InvalidOrder) as caught:
        parse_order(order_data(**changes))
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("condition_id", "0x12"),
        ("market_slug", 5),
        ("title", "x" * 1001),
        ("token_label", ["Up"]),
        ("order_hash", {}),
        ("taker", "nobody"),
        ("block_number", -1),
        ("log_index", "0x21e"),
    ],
)
def test_a_malformed_optional_field_costs_no_order(field: str, value: object) -> None:
    """It reads as None, and what came is kept as it was."""
    order = parse_order(order_data(**{field: value}))
    assert getattr(order, field) is None
    assert order.extra == {field: value}


def test_an_integral_float_is_an_integer() -> None:
    """JSON has one number type: 6000000.0 shares are 6000000 shares."""
    assert parse_order(order_data(shares=6e6)).shares == 6_000_000


@pytest.mark.parametrize(
    ("shares", "price", "notional", "price_micros"),
    [
        (6_000_000, 0.8, 4_800_000, 800_000),
        (1, 0.5, 0, 500_000),  # half to even, down
        (3, 0.5, 2, 500_000),  # half to even, up
        (1_000_000, 0.57, 570_000, 570_000),  # the product is a hair below
        (2**53 - 1, 1.0, 2**53 - 1, 1_000_000),
        (5, 0.0, 0, 0),
    ],
)
def test_money_is_rounded_half_to_even(shares: int, price: float, notional: int, price_micros: int) -> None:
    """Notional and price in micro-USDC follow the stated rounding."""
    order = parse_order(order_data(shares=shares, price=price, shares_normalized=None))
    assert (order.notional, order.price_micros) == (notional, price_micros)
