from __future__ import annotations

from typing import Any

from hypothesis import given

from connector.contract.keys import market_key, wallet_key
from connector.contract.order import parse_order
from tests.support.orders import hex_strings, orders_data


@given(hex_strings(40))
def test_a_wallet_has_one_key_in_any_letter_case(address: str) -> None:
    """Upper, lower and checksum case land on one partition."""
    assert wallet_key(address) == wallet_key(address.upper()) == wallet_key(address.lower())


@given(hex_strings(64))
def test_a_market_has_one_key_in_any_letter_case(condition_id: str) -> None:
    """The same for condition ids."""
    assert market_key(condition_id) == market_key(condition_id.upper()) == condition_id.lower().encode()


@given(orders_data())
def test_the_key_of_an_order_is_its_user(data: dict[str, Any]) -> None:
    """The key spells the published `user` exactly: consumers may compare the two."""
    order = parse_order(data)
    assert wallet_key(order.user).decode() == order.user
