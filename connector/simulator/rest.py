"""The REST routes, without HTTP: parameters and a book in, a page or a documented error out."""

from __future__ import annotations

from collections import deque
from itertools import islice, takewhile
from typing import TYPE_CHECKING

import msgspec
import orjson
from msgspec.structs import replace

from connector.simulator.book import Executed
from connector.simulator.cursor import InvalidCursor, decode_cursor, encode_cursor
from connector.simulator.history import Field, Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connector.simulator.book import Book

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


class Page(msgspec.Struct, frozen=True):
    """What a query found."""

    query: Query
    orders: list[Executed]
    """The newest first."""
    total: int
    key: str | None
    """Asks for the next page; None: there is none."""


def parse_query(params: Mapping[str, str], *, limit: int = 100, requires_filter: bool = False) -> Query:
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
        limit=limit,
        offset=_offset(params),
        before=before,
        total=total,
    )


def limit_of(params: Mapping[str, str], most: int) -> int:
    """Return the size of a page, 100 by default; raises `RestError`."""
    limit = _integer(params, "limit")
    if limit is None:
        return 100
    if not 1 <= limit <= most:
        raise _bad(f"limit must be between 1 and {most}")
    return limit


def page(book: Book, query: Query, *, now_ns: int, partial: bool = False, repeat: bool = False) -> Page:
    """Return a page; half of it, with more to come, when `partial`; see `_repeated`."""
    size = max(1, query.limit // 2) if partial else query.limit
    rows = _repeated(book, query, now_ns, size // 2) if repeat else []
    rows += islice(_shown(book, query, now_ns), query.offset, query.offset + size + 1 - len(rows))
    has_more, rows = len(rows) > size, rows[:size]
    total = _total(book, query, now_ns) if query.total is None else query.total
    key = encode_cursor(rows[-1].row, (rows[-1].timestamp, rows[-1].seq), total) if has_more else None
    return Page(query, rows, total, key)


def _repeated(book: Book, query: Query, now_ns: int, most: int) -> list[Executed]:
    """Return the last rows of the page before, up to `most`."""
    if query.before is None:
        return []
    border = query.before
    earlier = _shown(book, replace(query, before=None), now_ns)
    return list(deque(takewhile(lambda order: (order.timestamp, order.seq) >= border, earlier), maxlen=most))


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
        raise expired_cursor() from error


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


def expired_cursor() -> RestError:
    """Return the answer to a `pagination_key` that is not, or no longer, one of this server's."""
    return _bad("Invalid pagination_key")


def _bad(message: str) -> RestError:
    return RestError(400, "Bad Request", message)
