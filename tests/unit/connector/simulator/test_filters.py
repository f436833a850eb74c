"""Subscription filters and the index over them."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.book import Book, Executed
from connector.simulator.filters import FilterIndex, InvalidFilters, parse_filters

VALUES = st.lists(st.sampled_from(["x", "y", "z", "*"]), max_size=3)
FILTERS = st.dictionaries(
    st.sampled_from(["users", "condition_ids", "market_slugs"]), VALUES.filter(bool), min_size=1, max_size=3
)
CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), st.none() | FILTERS), max_size=12)


def order(user: str, condition_id: str = "", market_slug: str = "") -> Executed:
    """Return an order of these values."""
    row = {"user": user, "condition_id": condition_id, "market_slug": market_slug, "timestamp": 1_700_000_000}
    return Book().add(row, executed_ns=0, rest_ns=0)


@given(CHANGES, st.sampled_from(["and", "or"]), st.tuples(*[st.sampled_from("xyz")] * 3))
def test_the_index_finds_what_a_scan_finds(
    changes: list[tuple[str, dict[str, list[str]] | None]], combine: Literal["and", "or"], values: tuple[str, str, str]
) -> None:
    """After any changes, the matching subscriptions are those whose own lists match, each once."""
    index = FilterIndex(combine)
    live: dict[str, dict[str, list[str]]] = {}
    for subscription, filters in changes:
        if filters is None:
            index.remove(subscription)
            live.pop(subscription, None)
        else:
            index.put(subscription, parse_filters(filters, fold_case=True))
            live[subscription] = filters
    names = ("users", "condition_ids", "market_slugs")
    quantifier = all if combine == "and" else any
    expected = [
        subscription
        for subscription, filters in live.items()
        if quantifier(
            "*" in filters[name] or value in filters[name]
            for name, value in zip(names, values, strict=True)
            if name in filters
        )
    ]
    assert sorted(index.matching(order(*values))) == sorted(expected)


def test_case_is_folded_unless_the_switch_says_otherwise() -> None:
    """Addresses match in any case by default; orders are indexed in lower case."""
    assert parse_filters({"users": ["0xAB"]}, fold_case=True).match(order("0xAb"), "and")
    assert not parse_filters({"users": ["0xAB"]}, fold_case=False).match(order("0xab"), "and")


def test_an_empty_list_beside_a_full_one_is_no_filter() -> None:
    """SDKs send the lists they were not given as empty ones."""
    filters = parse_filters({"users": ["0xa"], "condition_ids": []}, fold_case=True)
    assert filters.match(order("0xa", "0x1"), "and")
    assert filters.items == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "filters: expected an object"),
        ({}, "filters: expected an object"),
        ({"users": []}, "every list is empty"),
        ({"users": "0xa"}, r"filters\.users: expected a list of texts"),
        ({"users": ["0xa", 5]}, r"filters\.users: expected a list of texts"),
        ({"wallets": ["0xa"]}, r"filters\.wallets: unknown"),
    ],
)
def test_wrong_filters_are_refused_by_name(data: Any, message: str) -> None:
    """The error names the list and what was expected."""
    with pytest.raises(InvalidFilters, match=message):
        parse_filters(data, fold_case=True)
