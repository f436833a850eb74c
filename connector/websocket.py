"""The WebSocket: a connection made, with every error free of the URL, which holds the key. Shell."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from connector.errors import ConnectorError, ProviderRefused

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Awaitable

_LARGEST_MESSAGE = 4 * 1024 * 1024
"""Bytes; beyond, the connection is closed. Between the settings' limit and this: a dead letter."""

_REFUSED = (401, 403)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_CLOSE_TIMEOUT = 2.0


class Disconnected(ConnectorError):
    """The connection could not be made, or is gone; a new attempt may succeed."""


class Socket(Protocol):
    """What the feed needs of a connection."""

    async def recv(self) -> bytes:
        """Return the next message; raises `Disconnected` after the last one."""

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
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def recv(self) -> bytes:
        try:
            message: bytes = await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise Disconnected(_reason(error)) from None
        return message

    async def send(self, frame: str) -> None:
        try:
            await self._connection.send(frame)
        except ConnectionClosed as error:
            raise Disconnected(_reason(error)) from None

    async def ping(self) -> asyncio.Future[float]:
        try:
            pong: asyncio.Future[float] = await self._connection.ping()
        except ConnectionClosed as error:
            raise Disconnected(_reason(error)) from None
        return pong

    async def close(self) -> None:
        await self._connection.close()


@asynccontextmanager
async def open_socket(url: str, *, connect_timeout: float) -> AsyncIterator[Socket]:
    """
    Connect. Neither the URL nor anything derived from it appears in an error.

    Raises:
        ProviderRefused: the handshake was answered with 401 or 403.
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
        yield _WebSocket(connection)
    finally:
        await connection.close()


def _reason(error: ConnectionClosed) -> str:
    frame = error.rcvd or error.sent
    if frame is None:
        return "connection lost without a close frame"
    side = "the provider" if error.rcvd else "we"
    return f"{side} closed with {frame.code} {frame.reason}".rstrip()
