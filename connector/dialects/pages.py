"""The REST answer that Dome and the dialects derived from it share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.dialects import PageRows, UnreadablePage

if TYPE_CHECKING:
    from collections.abc import Callable


def page_rows(body: Any, name: str, order_data: Callable[[dict[str, Any]], dict[str, Any] | None]) -> PageRows:
    """
    Read `{name: [row, ...], "pagination": {...}}`; what `order_data` maps to None is no order and left out.

    Raises:
        UnreadablePage: there is no such list, or something else than objects in it.
    """
    rows = body.get(name) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        # Not quoted: it is no order, and may be anything, a key too.
        raise UnreadablePage(f"{name}: expected a list of objects")
    pagination = body.get("pagination")
    if not isinstance(pagination, dict):
        pagination = {}
    cursor, more, limit = (pagination.get(field) for field in ("pagination_key", "has_more", "limit"))
    if not isinstance(cursor, str) or not cursor:
        cursor = None
    if not isinstance(more, bool):
        full = isinstance(limit, int) and len(rows) >= limit
        more = True if full or cursor is not None else None
    orders = [order for row in rows if (order := order_data(row)) is not None]
    return PageRows(rows=orders, cursor=cursor, more=more)
