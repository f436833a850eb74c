"""
One pass over a wallet's orders in an interval, page by page: which request comes next, and when nothing is missing.

Pages follow the provider's cursors, newest first. When a cursor fails, comes again or is not given, the pass goes on
*by time*: it asks anew for all up to the oldest second it has reached, that second included. This is sound only where
rows came in order, which is checked.

Equal fills without `log_index` can be counted on one page only. When such a content is on two pages, the pass ends
with a page that holds its whole second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from connector.rest_rows import content_of, newest_first, second_of, seconds_of

if TYPE_CHECKING:
    from connector.dialects import PageRows

Failure = Literal["request-refused", "cursor-lost", "endless", "out-of-order", "crowded-second"]
"""
Why a pass cannot be completed.

request-refused: the provider refuses a request without cursor. cursor-lost: a cursor failed before any row was seen.
endless: page after page brought nothing older. out-of-order: a cursor failed, and rows were not newest first.
crowded-second: one second holds more rows than the provider gives without a cursor.
"""

_STALE_PAGES = 20
"""Pages in a row without an older row that end a pass."""
_SECOND_ATTEMPTS = 3


class Request(msgspec.Struct, frozen=True):
    """What to ask for: a wallet's rows in [start_s, end_s] unix seconds, from `cursor` on."""

    start_s: int
    end_s: int
    limit: int
    """Rows a page may hold."""
    cursor: str | None = None


class Page(msgspec.Struct, frozen=True):
    """A wallet's rows from one answer, in the provider's order. Equal rows in one page are as many fills."""

    rows: tuple[dict[str, Any], ...]
    ignored: int
    """Rows of another wallet or outside the interval, which nobody asked for."""


class Pass:
    """
    One pass; ask for `request` until it is None. Then `failure` is None if it is complete.

    Args:
        wallet: In lower case.
        start_ms: Of the interval, in unix ms, as is its end; both are widened to whole seconds.
        limit: Rows a page should hold.
        most: Rows a page may hold, for where one page has to do.
    """

    def __init__(self, wallet: str, start_ms: int, end_ms: int, *, limit: int, most: int) -> None:
        self._wallet = wallet
        self._most = most
        self._start = max(0, start_ms // 1000)
        self._end = max(self._start + 1, -(-end_ms // 1000))
        self._reached: int | None = None
        """The oldest second seen: every row after it was delivered."""
        self._in_order = True
        self._restarted = False
        self._split: dict[int, int] = {}
        """Seconds to ask for once more, and how often that was tried."""
        self.failure: Failure | None = None
        self.request: Request | None = None
        self._limit = limit
        self._run_from(self._end, limit)

    def answered(self, answer: PageRows) -> Page:
        """Take the answer to `request`."""
        request = self.request
        assert request is not None, "the pass is over"  # noqa: S101 - a caller's defect
        rows = tuple(row for row in answer.rows if self._asked_for(row, request))
        more = len(answer.rows) >= request.limit if answer.more is None else answer.more
        if self._single is None:
            self._note(rows)
            self._advance(request, answer.cursor, more=more)
        else:
            self._whole(self._single, rows, more=more)
        return Page(rows, len(answer.rows) - len(rows))

    def refused(self) -> None:
        """
        Take it that the provider will not answer `request`.

        With a cursor, it may be expired, corrupt, or too deep (which Dome documents as a 401).
        """
        assert self.request is not None, "the pass is over"  # noqa: S101 - a caller's defect
        if self.request.cursor is None:
            self._fail("request-refused")
        else:
            self._by_time()

    def _advance(self, request: Request, cursor: str | None, *, more: bool) -> None:
        if not more:
            self._ask_for_split()
        elif self._stale > _STALE_PAGES:
            self._fail("endless")
        elif cursor is None:
            self._by_time()
        elif cursor in self._cursors:
            self._restart()
        else:
            self._cursors.add(cursor)
            self.request = Request(request.start_s, request.end_s, request.limit, cursor)

    def _run_from(self, end: int, limit: int) -> None:
        """Ask from the top for all up to `end`, as if for the first time."""
        self._single: int | None = None
        self._cursors: set[str] = set()
        self._stale = 0
        self._oldest_of_run = end + 1
        self._unindexed: set[int] = set()
        """Hashes of the rows without `log_index` seen in this run."""
        self.request = Request(self._start, end, limit)

    def _restart(self) -> None:
        if self._restarted:
            self._by_time()
        else:
            self._restarted = True
            self._run_from(self._end, self._limit)

    def _by_time(self) -> None:
        """Go on below what was reached, its second included; one second more, if the end moves nevertheless."""
        assert self.request is not None  # noqa: S101 - only called while it is not
        if self._reached is None:
            if self._restarted:
                self._fail("cursor-lost")
            else:
                self._restart()
        elif not self._in_order:
            self._fail("out-of-order")
        else:
            ends = (max(self._start + 1, self._reached + more) for more in (1, 0))
            end = next((end for end in ends if end < self.request.end_s), None)
            if end is None:
                self._fail("crowded-second")
            else:
                self._run_from(end, self._most)

    def _note(self, rows: tuple[dict[str, Any], ...]) -> None:
        """Remember how far this page went, and which contents are on two pages."""
        seconds = seconds_of(rows)
        self._in_order = self._in_order and newest_first(seconds)
        oldest = min(seconds, default=self._oldest_of_run)
        self._stale = 0 if oldest < self._oldest_of_run else self._stale + 1
        self._oldest_of_run = min(oldest, self._oldest_of_run)
        if seconds:
            self._reached = oldest if self._reached is None else min(oldest, self._reached)
        contents = {content_of(row): second_of(row) for row in rows if row.get("log_index") is None}
        for content in contents.keys() & self._unindexed:
            second = contents[content]
            if second is not None:
                self._split[second] = 0
        self._unindexed |= contents.keys()

    def _ask_for_split(self) -> None:
        """Ask for the next second whose equal rows were split; newest first, it comes before the one below it."""
        self._single = next(iter(self._split), None)
        self.request = None if self._single is None else Request(self._single - 1, self._single, self._most)

    def _whole(self, second: int, rows: tuple[dict[str, Any], ...], *, more: bool) -> None:
        """Check that a page holds all rows of a second."""
        seconds = seconds_of(rows)
        if second in seconds and (not more or (newest_first(seconds) and seconds[-1] < second)):
            del self._split[second]
        else:
            self._split[second] += 1
        if self._split.get(second) == _SECOND_ATTEMPTS:
            self._fail("crowded-second")
        else:
            self._ask_for_split()

    def _fail(self, failure: Failure) -> None:
        self.failure = failure
        self.request = None

    def _asked_for(self, row: dict[str, Any], request: Request) -> bool:
        """Tell whether to keep a row; one that cannot be read is kept, to become a dead letter."""
        user, second = row.get("user"), second_of(row)
        if isinstance(user, str) and user.lower() != self._wallet:
            return False
        return second is None or request.start_s <= second <= request.end_s
