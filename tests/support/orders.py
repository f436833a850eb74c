"""Orders for tests: a plain one to vary, and strategies for arbitrary ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

WALLET = "0x6031b6eed1c97e853c6e0f03ad3ce3529351f96d"


def order_data(**changes: Any) -> dict[str, Any]:
    """Return a provider's JSON object of an order, as recorded, with `changes`."""
    return {
        "token_id": "58694369128674932230350152832850260863578525167974431267420151179248334455441",
        "token_label": "Up",
        "side": "BUY",
        "market_slug": "eth-updown-15m-1767555900",
        "condition_id": "0x59fc4c4c57b9a86aa1859ef3ba9e457a3009b791b469f646637a45fe17f1e0d2",
        "shares": 6_000_000,
        "shares_normalized": 6.0,
        "price": 0.8,
        "tx_hash": "0x061a41a8cb947159083c3baf4c945a6fae104d5f89d1359643615687628ecfaf",
        "title": "Ethereum Up or Down - January 4, 2:45PM-3:00PM ET",
        "timestamp": 1_767_556_295,
        "order_hash": None,
        "user": WALLET,
        "taker": None,
    } | changes


def hex_strings(digits: int) -> st.SearchStrategy[str]:
    """Return 0x-prefixed hex strings in any letter case."""
    return st.text("0123456789abcdefABCDEF", min_size=digits, max_size=digits).map("0x".__add__)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

_REQUIRED = {
    "user": hex_strings(40),
    "token_id": st.integers(0, 2**256 - 1).map(str),
    "side": st.sampled_from(["BUY", "SELL", "buy", "Sell"]),
    "shares": st.integers(1, 2**53 - 1),
    "price": st.floats(0, 1),
    "tx_hash": hex_strings(64),
    "timestamp": st.integers(1_000_000_000, 99_999_999_999),
}
_OPTIONAL = {
    "condition_id": st.none() | st.just("") | hex_strings(64),
    "market_slug": st.none() | st.text(max_size=20),
    "title": st.none() | st.text(max_size=20),
    "token_label": st.none() | st.text(max_size=5),
    "order_hash": st.none() | hex_strings(64),
    "taker": st.none() | hex_strings(40),
    "block_number": st.none() | st.integers(0, 2**53 - 1),
    "log_index": st.none() | st.integers(0, 2**53 - 1),
    "status": JSON,
    "fee": JSON,
}


def orders_data() -> st.SearchStrategy[dict[str, Any]]:
    """Return valid JSON objects of orders, with and without the optional and with unknown fields."""
    return st.fixed_dictionaries(dict(_REQUIRED), optional=dict(_OPTIONAL))
