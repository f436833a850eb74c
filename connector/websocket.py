"""The WebSocket: a connection made, with every error free of the URL, which holds the key. Shell."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from connector.errors import ConnectorError, ProviderRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Container

T = TypeVar("T")

_LARGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes; beyond, the connection is closed. Between the settings' limit and this: a dead letter."""

_REFUSED = (401, 403)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CLOSE_TIMEOUT = 2.0
"""Seconds of listening for the end of the closing handshake; what our own reader takes for its work is not counted."""
_SEND_TIMEOUT = 5.0
"""Seconds; a provider that takes nothing for so long takes nothing more."""


class Disconnected(ConnectorError):
    """The connection could not be made, or is gone; a new attempt may succeed."""


class Socket(Protocol):
    """What the feed needs of a connection."""

    date: str | None
    """HTTP date of the provider's answer to the handshake."""

    async def recv(self) -> bytes:
        """Return the next message; raises `Disconnected` after the last one, or `ProviderRefused`."""

    async def send(self, frame: str) -> None:
        """Send a text message; raises `Disconnected`."""

    async def ping(self) -> Awaitable[float]:
        """Send a ping and return a future of its pong; raises `Disconnected`."""

    async def close(self) -> None:
        """Close; messages that came before can still be received."""


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        # A redirect would carry the key, which is part of the path, to wherever it points.
        return exc


class _WebSocket:
    def __init__(self, connection: Any, fatal_close_codes: Container[int]) -> None:
        self.date: str | None = connection.response.headers.get("Date")
        self._connection = connection
        self._fatal_close_codes = fatal_close_codes
        self._clock = asyncio.get_running_loop().time
        self._listened = 0.0
        self._listening_since = math.inf
        self._fault = ""

    async def recv(self) -> bytes:
        self._listening_since = self._clock()
        try:
            message: bytes = await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code in self._fatal_close_codes:
                raise ProviderRefused(f"{_reason(error)}: check API_KEY") from None
            raise Disconnected(self._fault or _reason(error)) from None
        finally:
            self._listened, self._listening_since = self._listened_for(), math.inf
        return message

    async def send(self, frame: str) -> None:
        await self._in_time(self._connection.send(frame))

    async def ping(self) -> asyncio.Future[float]:
        pong: asyncio.Future[float] = await self._in_time(self._connection.ping())
        return pong

    async def close(self) -> None:
        # The library would give up after a fixed time, and with it what a busy reader has not read yet.
        self._connection.close_timeout = None
        closing = asyncio.create_task(self._connection.close())
        limit = self._listened_for() + _CLOSE_TIMEOUT
        while not closing.done() and (left := limit - self._listened_for()) > 0:
            await asyncio.wait({closing}, timeout=left)
        if not closing.done():
            self._connection.transport.abort()
        await closing

    async def _in_time(self, sending: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                return await sending
        except ConnectionClosed as error:
            raise Disconnected(self._fault or _reason(error)) from None
        except TimeoutError:
            self._fault = f"the provider took nothing we sent for {_SEND_TIMEOUT:g} s"
            self._connection.transport.abort()
            raise Disconnected(self._fault) from None

    def _listened_for(self) -> float:
        return self._listened + max(self._clock() - self._listening_since, 0.0)


@asynccontextmanager
async def open_socket(
    url: str, *, connect_timeout: float, fatal_close_codes: Container[int] = ()
) -> AsyncIterator[Socket]:
    """
    Connect. Neither the URL nor anything derived from it appears in an error.

    Raises:
        ProviderRefused: the handshake was answered with 401 or 403, or the connection ended with a fatal code.
        Disconnected: anything else went wrong.
    """
    try:
        connection = await _Connect(
            url,
            open_timeout=connect_timeout,
            close_timeout=_CLOSE_TIMEOUT,
            ping_interval=None,  # the session decides when to ping and what silence means
            compression=None,  # frames are small; inflating them costs more than their bytes
            max_size=_LARGEST_MESSAGE,
            proxy=None if urlsplit(url).hostname in _LOOPBACK else True,
            user_agent_header="walletstream",
        )
    except InvalidStatus as error:
        status = error.response.status_code
        if status in _REFUSED:
            raise ProviderRefused(f"the provider refused the API key with HTTP {status}: check API_KEY") from None
        raise Disconnected(f"the provider answered the handshake with HTTP {status}") from None
    except TimeoutError:
        raise Disconnected(f"no connection within {connect_timeout:g} s") from None
    except OSError as error:
        raise Disconnected(f"cannot connect: {error.strerror or type(error).__name__}") from None
    except (WebSocketException, ValueError) as error:
        # Their messages quote the URL.
        raise Disconnected(f"handshake failed: {type(error).__name__}") from None
    try:
        yield _WebSocket(connection, fatal_close_codes)
    except BaseException:
        connection.transport.abort()  # whoever leaves like this reads no more: nothing to wait for
        raise
    finally:
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await connection.close()
        except TimeoutError:
            connection.transport.abort()


def _reason(error: ConnectionClosed) -> str:
    frame = error.rcvd or error.sent
    if frame is None:
        return "connection lost without a close frame"
    side = "the provider" if error.rcvd else "we"
    return f"{side} closed with {frame.code} {frame.reason}".rstrip()
