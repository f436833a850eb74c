"""
One API key of a provider's REST: its budget, its standing, and a request made with it. Shell.

Keys travel in headers only, so no URL holds one; no error of this module quotes headers or bodies.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import orjson
import structlog
from aiohttp import ClientConnectorError, ClientError

from connector.errors import ConnectorError
from connector.provider_clock import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import ClientResponse, ClientSession

    from connector.budget import Budget

log = structlog.get_logger(__name__)

Kind = Literal["rate", "server", "timeout", "network", "auth", "bad-request", "bad-body"]

_REFUSALS = 2
_ASIDE_S = 60.0
"""A key that was turned away as often in a row is left alone for this long."""
_MAX_BODY = 16 * 2**20


class RestError(ConnectorError):
    """A request without a usable answer."""

    def __init__(self, kind: Kind, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.retry_after_s = retry_after_s


class RestKey:
    """
    One key; it makes requests, and knows when it may.

    Args:
        number: Names the key in logs.
        headers: They carry the key itself.
    """

    def __init__(self, number: int, headers: Mapping[str, str], budget: Budget) -> None:
        self._number = number
        self._headers = headers
        self._budget = budget
        self._refusals = 0
        """Answers in a row that turned the key away. One alone may be about the request: Dome documents such a 401."""
        self._aside_until = 0.0

    def usable(self, now: float) -> bool:
        """Tell whether the provider accepts the key, as far as known."""
        return self._aside_until <= now

    def room(self, now: float) -> tuple[float, float]:
        """Return the seconds until a request may be made, and when the latest one was: least is best."""
        return self._budget.wait(now), self._budget.used_at

    async def get(
        self,
        http: ClientSession,
        url: str,
        params: Mapping[str, str],
        on_date: Callable[[str, float, float], None],
    ) -> Any:
        """
        Return the decoded answer to one request.

        Raises:
            RestError: there is none; what that means for the key is noted.
        """
        clock = asyncio.get_running_loop().time
        self._budget.begin(clock())
        try:
            answer = await self._get(http, url, params, on_date)
        except RestError as error:
            if error.kind == "rate":
                self._budget.complained(clock(), error.retry_after_s)
            elif error.kind == "auth":
                self._turned_away(clock(), error.detail)
            raise
        except TimeoutError:
            raise RestError("timeout", "no whole answer in time") from None
        except (ClientError, OSError) as error:
            # Not chained nor quoted: aiohttp's errors may hold the request, or what the provider sent.
            raise RestError("network", _told(error)) from None
        finally:
            self._budget.end(clock())
        self._refusals = 0
        return answer

    async def _get(
        self,
        http: ClientSession,
        url: str,
        params: Mapping[str, str],
        on_date: Callable[[str, float, float], None],
    ) -> Any:
        clock = asyncio.get_running_loop().time
        sent = clock()
        async with http.get(url, params=params, headers=self._headers, allow_redirects=False) as response:
            date = response.headers.get("Date")
            if date is not None:
                on_date(date, clock(), sent)
            if response.status != 200:
                raise _refusal(response, date)
            body = await _body(response)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise RestError("bad-body", f"{len(body)} bytes that are not JSON: {error.msg}"[:200]) from None

    def _turned_away(self, now: float, detail: str) -> None:
        self._refusals += 1
        if self._refusals >= _REFUSALS:
            self._aside_until = now + _ASIDE_S
            log.warning("rest.key_set_aside", key=self._number, answer=detail, seconds=_ASIDE_S)


def _told(error: ClientError | OSError) -> str:
    """Return an error's name; of a failure to connect also the reason, such as a certificate that is not trusted."""
    name = type(error).__name__
    return f"{name}: {error}"[:300] if isinstance(error, ClientConnectorError) else name


async def _body(response: ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY:
            raise RestError("bad-body", f"more than {_MAX_BODY} bytes")
    return bytes(body)


def _refusal(response: ClientResponse, date: str | None) -> RestError:
    status = response.status
    kind: Kind = "bad-request"
    if status == 429:
        kind = "rate"
    elif status in (401, 402, 403):
        kind = "auth"
    elif status >= 500 or status in (408, 425) or status < 400:
        kind = "server"
    return RestError(kind, f"status {status}", retry_after(response.headers.get("Retry-After"), date))
