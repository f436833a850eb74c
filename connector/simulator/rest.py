"""`GET /v1/polymarket/orders`, without HTTP: parameters and a book in, a page or a documented error out."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from connector.simulator.cursor import InvalidCursor, decode_cursor, encode_cursor
from connector.simulator.history import Field, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connector.simulator.book import Book, Executed

MAX_OFFSET = 10_000
_MARKET_FIELDS: tuple[Field, ...] = ("market_slug", "condition_id", "token_id")


class RestError(Exception):
    """A request to answer with a status other than 200."""

    def __init__(self, status: int, error: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = orjson.dumps({"error": error, "message": message, **more})


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks for. Times are unix seconds, both inclusive."""

    user: str | None = None
    market: tuple[Field, str] | None = None
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 100
    offset: int = 0
    before: Position | None = None
    total: int | None = None
    """Carried along by the cursor."""


def parse_query(params: Mapping[str, str], *, requires_filter: bool = False) -> Query:
    """
    Read the parameters of a request; unknown ones are ignored.

    Raises:
        RestError: 400 for a wrong value or combination, 401 for an offset above 10,000 (so documented).
    """
    markets = [(field, params[field].lower()) for field in _MARKET_FIELDS if params.get(field)]
    if len(markets) > 1:
        raise _bad("Only one of market_slug, condition_id, token_id may be given")
    user = params.get("user", "").lower() or None
    if requires_filter and user is None and not markets:
        raise _bad("At least one of user, market_slug, condition_id, token_id is required")
    start, end = _integer(params, "start_time"), _integer(params, "end_time")
    if start is not None and end is not None and start >= end:
        raise _bad("start_time must be less than end_time")
    before, total = _cursor(params)
    return Query(
        user=user,
        market=markets[0] if markets else None,
        start_time=start,
        end_time=end,
        limit=_limit(params),
        offset=_offset(params),
        before=before,
        total=total,
    )


def page(book: Book, query: Query, *, now_ns: int, partial: bool = False) -> bytes:
    """Return the body of a page: newest first; half of it, with more to come, when `partial`."""
    size = max(1, query.limit // 2) if partial else query.limit
    rows = list(islice(_shown(book, query, now_ns), query.offset, query.offset + size + 1))
    has_more, rows = len(rows) > size, rows[:size]
    total = _total(book, query, now_ns) if query.total is None else query.total
    pagination: dict[str, Any] = {"limit": query.limit, "offset": query.offset, "total": total, "has_more": has_more}
    if has_more:
        last = rows[-1]
        pagination["pagination_key"] = encode_cursor(last.row, (last.timestamp, last.seq), total)
    return b'{"orders":[%b],"pagination":%b}' % (b",".join(order.json for order in rows), orjson.dumps(pagination))


def _shown(book: Book, query: Query, now_ns: int) -> Iterator[Executed]:
    """Yield what matches and is not hidden yet, newest first."""
    positions = book.history.newest_first(
        _narrowest(query), start=query.start_time, end=query.end_time, before=query.before
    )
    for _, seq in positions:
        order = book.orders[seq - 1]
        if order.rest_ns <= now_ns and (query.market is None or getattr(order, query.market[0]) == query.market[1]):
            yield order


def _total(book: Book, query: Query, now_ns: int) -> int:
    """Count what `_shown` yields; without looking at each order where that can be avoided."""
    if now_ns >= book.all_shown_ns and (query.user is None or query.market is None):
        return book.history.count(_narrowest(query), start=query.start_time, end=query.end_time)
    return sum(1 for _ in _shown(book, query, now_ns))


def _narrowest(query: Query) -> tuple[Field, str] | None:
    return query.market if query.user is None else ("user", query.user)


def _cursor(params: Mapping[str, str]) -> tuple[Position | None, int | None]:
    key = params.get("pagination_key")
    if not key:
        return None, None
    try:
        return decode_cursor(key)
    except InvalidCursor as error:
        raise _bad("Invalid pagination_key") from error


def _limit(params: Mapping[str, str]) -> int:
    limit = _integer(params, "limit")
    if limit is None:
        return 100
    if not 1 <= limit <= 1000:
        raise _bad("limit must be between 1 and 1000")
    return limit


def _offset(params: Mapping[str, str]) -> int:
    offset = _integer(params, "offset") or 0
    if offset > MAX_OFFSET:
        raise RestError(
            401,
            "Offset too large",
            f"offset must not exceed {MAX_OFFSET}; use pagination_key",
            docs="api-reference: get-trade-history",
        )
    if offset < 0:
        raise _bad("offset must be 0 or more")
    return offset


def _integer(params: Mapping[str, str], name: str) -> int | None:
    text = params.get(name)
    if text is None or text == "":
        return None
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 18:
        raise _bad(f"Invalid {name}: expected an integer")
    return int(text)


def _bad(message: str) -> RestError:
    return RestError(400, "Bad Request", message)
