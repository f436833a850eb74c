"""The REST client: a wallet's orders in an interval, page by page, within the budgets of the keys. Shell."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Literal, Self

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from connector.backoff import Backoff
from connector.budget import Budget
from connector.dialects import UnreadablePage
from connector.errors import ConnectorError
from connector.metrics import UNREAD, Metrics
from connector.paging import Page, Pass
from connector.rest_key import RestError, RestKey

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from connector.dialects import Dialect, PageRows
    from connector.paging import Failure, Request
    from connector.rest_key import Kind

_PAGE_ROWS = 250
"""Live orders wait while a page is decoded and looked through: about 10 us a row."""
_ATTEMPTS = 5
_BACKOFF_BASE_S = 0.5
_BACKOFF_CAP_S = 10.0
_PATIENCE_S = 60.0
"""A pass does not wait longer for its turn; it is tried again later."""


class PassFailed(ConnectorError):
    """A pass that could not be completed; what it yielded before is good."""

    def __init__(self, reason: Failure | Kind | Literal["forgotten"], detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class RestClient:
    """
    Asks a provider for orders, over one or several keys; each request takes the key with the most room.

    Use it as `async with RestClient(...) as client`.

    Args:
        keys: API keys.
        limits: Of each key, as `Budget` takes them.
        share: Part of these limits to use, in (0, 1].
        base_url: "" takes the provider's.
        timeout: Seconds for one request, its answer included.
        page_limit: Rows of one page, where it matters little.
        on_date: Called with the `Date` of every answer, and the loop's time when it came and when it was asked for.
        uniform: Returns a number in [0, 1); spreads the delays between attempts.
        tls: None takes the system's certificates; hosts are verified in any case.
        metrics: Told of requests and how long they waited.
    """

    def __init__(
        self,
        dialect: Dialect,
        keys: Sequence[str],
        *,
        limits: Sequence[tuple[float, int]],
        share: float = 0.8,
        base_url: str = "",
        timeout: float = 10.0,
        page_limit: int = _PAGE_ROWS,
        on_date: Callable[[str, float, float], None] | None = None,
        uniform: Callable[[], float] = random.random,
        tls: ssl.SSLContext | None = None,
        metrics: Metrics = UNREAD,
    ) -> None:
        self._dialect = dialect
        self._keys = [
            RestKey(number, dialect.rest_headers(key), Budget(limits, share)) for number, key in enumerate(keys)
        ]
        self._base_url = (base_url or dialect.rest_url).rstrip("/")
        self._timeout = ClientTimeout(total=timeout)
        self._page_limit = min(page_limit, dialect.rest_page_limit)
        self._on_date = on_date or _ignore
        self._uniform = uniform
        self._tls = tls
        self._metrics = metrics.rest
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._clock = asyncio.get_running_loop().time
        connector = TCPConnector() if self._tls is None else TCPConnector(ssl=self._tls)
        self._http = ClientSession(connector=connector, timeout=self._timeout, cookie_jar=DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def sweep(self, wallet: str, start_ms: int, end_ms: int) -> AsyncGenerator[Page]:
        """
        Yield the pages of a wallet's orders in [start_ms, end_ms], widened to whole seconds; newest first.

        Ending without an error means: everything REST shows of the interval was yielded.

        Raises:
            PassFailed: a request was refused or failed again and again, or the provider's answers lead nowhere.
        """
        sweep = Pass(wallet, start_ms, end_ms, limit=self._page_limit, most=self._dialect.rest_page_limit)
        while (request := sweep.request) is not None:
            answer = await self._answer(wallet, request)
            if answer is None:
                sweep.refused()
            else:
                yield sweep.answered(answer)
        if sweep.failure is not None:
            raise PassFailed(sweep.failure)

    async def page(self, path: str, params: Mapping[str, str]) -> Any:
        """
        Return the decoded answer to one request, made when a key has room for it.

        Raises:
            RestError: there is none.
        """
        asked = self._clock()
        key = await self._next_key()
        self._metrics.wait.observe(self._clock() - asked)
        try:
            return await key.get(self._http, self._base_url + path, params, self._on_date)
        except RestError as error:
            self._metrics.requests.labels(error.kind).inc()
            raise

    async def _answer(self, wallet: str, request: Request) -> PageRows | None:
        """Return a page, after some attempts; None when the provider refuses this very request."""
        path, params = self._dialect.rest_query(wallet, request.start_s, request.end_s, request.limit, request.cursor)
        backoff = Backoff(base=_BACKOFF_BASE_S, cap=_BACKOFF_CAP_S, random=self._uniform)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                rows = self._dialect.rest_page(await self.page(path, params))
            except UnreadablePage as unreadable:
                self._metrics.requests.labels("bad-body").inc()
                error = RestError("bad-body", str(unreadable))
            except RestError as failed:
                error = failed
            else:
                self._metrics.requests.labels("ok").inc()
                return rows
            if error.kind == "bad-request" or (error.kind == "auth" and request.cursor is not None):
                return None
            if attempt == _ATTEMPTS or not self._usable():
                break
            await asyncio.sleep(backoff.next_delay())
        raise PassFailed(error.kind, error.detail)

    async def _next_key(self) -> RestKey:
        """Wait for the turn, then for room; return the key with most of it."""
        async with self._turn:
            while keys := self._usable():
                now = self._clock()
                key = min(keys, key=lambda key: key.room(now))
                wait, _ = key.room(now)
                if wait > _PATIENCE_S:
                    raise RestError("rate", f"no room within {_PATIENCE_S:g} s", wait)
                if wait == 0:
                    return key
                await asyncio.sleep(wait)
            raise RestError("auth", "every key was turned away")

    def _usable(self) -> list[RestKey]:
        now = self._clock()
        return [key for key in self._keys if key.usable(now)]


def _ignore(date: str, received: float, sent: float) -> None:
    """Take a `Date` that nobody asked for."""
