"""The REST answer that the dialects share: rows, and what says whether more follow."""

from __future__ import annotations

from typing import Any

import pytest

from connector.dialects import PageRows, UnreadablePage
from connector.dialects.pages import page_rows

ROW = {"user": "0x1"}


def read(rows: Any, pagination: Any) -> PageRows:
    """Read an answer whose rows with a type are no orders."""
    return page_rows({"orders": rows, "pagination": pagination}, "orders", lambda row: None if "type" in row else row)


@pytest.mark.parametrize(
    ("pagination", "cursor", "more"),
    [
        ({"has_more": True, "pagination_key": "k", "limit": 9}, "k", True),
        ({"has_more": True}, None, True),
        ({"has_more": False, "pagination_key": "k", "limit": 2}, "k", False),
        ({"pagination_key": "k", "limit": 9}, "k", True),
        ({"pagination_key": "", "limit": 2}, None, True),
        ({"pagination_key": 7, "has_more": "no", "limit": 3}, None, None),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_what_follows(pagination: Any, cursor: str | None, more: bool | None) -> None:  # noqa: FBT001 - a case
    """The provider's word first, then a cursor, then a page as full as it says it can be."""
    assert read([ROW, {"type": "refund"}], pagination) == PageRows([ROW], cursor, more)


@pytest.mark.parametrize("body", [None, 7, [], {}, {"orders": None}, {"orders": "x"}, {"orders": [ROW, 7]}])
def test_another_shape_is_unreadable(body: Any) -> None:
    """The error names the field, and quotes nothing."""
    with pytest.raises(UnreadablePage, match="orders: expected a list of objects"):
        page_rows(body, "orders", dict)
