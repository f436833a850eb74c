from __future__ import annotations

import asyncio
import traceback
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from connector.errors import ProviderRefused
from connector.websocket import Disconnected, Socket, open_socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

KEY = "s3cr3t-k3y"


def answering(status: int, **headers: str) -> Callable[[ServerConnection, Request], Response]:
    """Return a handshake that is answered with `status`."""
    return lambda _connection, _request: Response(status, "", Headers(headers))


async def talk(connection: ServerConnection) -> None:
    """Send a few frames of every kind, then close."""
    await connection.send('{"text":1}')
    await connection.send(b'{"bytes":1}')
    await connection.send(b"\xff", text=True)
    await connection.close(1001, "restart")


@asynccontextmanager
async def raw_server(greeting: bytes) -> AsyncIterator[str]:
    """Serve TCP: say `greeting`, then wait for the peer to go. Yields the URL to connect to."""
    done = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/{KEY}"
        await done.wait()


async def everything(socket: Socket) -> list[bytes]:
    """Return all messages until the connection is gone, and the reason it is."""
    received = []
    try:
        while True:
            received.append(await socket.recv())
    except Disconnected as error:
        return [*received, str(error).encode()]


async def attempt(
    handler: Callable[[ServerConnection], Awaitable[None]] = talk,
    answer: Callable[[ServerConnection, Request], Response] | None = None,
) -> list[bytes]:
    """Connect to a server, and return what arrives until it is gone; raises what connecting raises."""
    async with serve(handler, "127.0.0.1", 0, process_request=answer) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_socket(f"ws://127.0.0.1:{port}/{KEY}", connect_timeout=1.0) as socket:
            return await everything(socket)


def assert_clean(error: BaseException) -> None:
    """Neither the error nor its printed trace, causes included, shows the key."""
    assert KEY not in "".join(traceback.format_exception(error)) + repr(error)


async def test_messages_arrive_as_bytes_and_the_end_with_its_reason() -> None:
    """Invalid UTF-8 is a frame like any other here; who reads it decides."""
    assert await attempt() == [
        b'{"text":1}',
        b'{"bytes":1}',
        b"\xff",
        b"the provider closed with 1001 restart",
    ]


async def test_a_cut_is_a_disconnect() -> None:
    """A connection that just breaks says so."""

    async def cut(connection: ServerConnection) -> None:
        connection.transport.abort()
        await connection.wait_closed()

    assert await attempt(cut) == [b"connection lost without a close frame"]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_final(status: int) -> None:
    """Trying again would not help, and might get the key banned."""
    with pytest.raises(ProviderRefused, match=f"HTTP {status}: check API_KEY") as caught:
        await attempt(answer=answering(status))
    assert_clean(caught.value)


async def test_a_fatal_close_code_refuses_the_key() -> None:
    """4001 means for one provider what 401 means at the handshake; other codes are disconnects."""

    async def close(connection: ServerConnection) -> None:
        await connection.close(4001, "bad key")

    assert await attempt(close) == [b"the provider closed with 4001 bad key"]
    async with serve(close, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"ws://127.0.0.1:{port}/{KEY}"
        async with open_socket(url, connect_timeout=1.0, fatal_close_codes={4001}) as socket:
            with pytest.raises(ProviderRefused, match="4001 bad key: check API_KEY") as caught:
                await socket.recv()
    assert_clean(caught.value)


async def test_the_date_of_the_handshake_is_kept() -> None:
    """It tells the provider's clock; without one there is none."""
    async with serve(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_socket(f"ws://127.0.0.1:{port}/{KEY}", connect_timeout=1.0) as socket:
            assert socket.date is not None
            assert parsedate_to_datetime(socket.date).tzinfo is UTC


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_other_refusals_may_pass(status: int) -> None:
    """A busy or broken server is tried again."""
    with pytest.raises(Disconnected, match=f"HTTP {status}") as caught:
        await attempt(answer=answering(status))
    assert_clean(caught.value)


async def test_redirects_are_not_followed() -> None:
    """The key is part of the path: it must not be carried elsewhere, nor quoted from the Location."""
    with pytest.raises(Disconnected, match="HTTP 302") as caught:
        await attempt(answer=answering(302, Location=f"ws://127.0.0.1:9/{KEY}"))
    assert_clean(caught.value)


@pytest.mark.parametrize("url", [f"http://x/{KEY}", f"ws://127.0.0.1:port/{KEY}", f"ws:///{KEY}", f"ws://[/{KEY}"])
async def test_an_impossible_url_is_not_quoted(url: str) -> None:
    """The library's own errors quote the URL; ours do not."""
    with pytest.raises(Disconnected) as caught:
        async with open_socket(url, connect_timeout=0.2):
            pass
    assert_clean(caught.value)


async def test_nobody_listening_is_a_disconnect(unused_tcp_port: int) -> None:
    """Connection refused is tried again."""
    with pytest.raises(Disconnected, match="cannot connect") as caught:
        async with open_socket(f"ws://127.0.0.1:{unused_tcp_port}/{KEY}", connect_timeout=1.0):
            pass
    assert_clean(caught.value)


async def test_a_server_that_says_nothing_times_out() -> None:
    """A TCP connection without a handshake is given up."""
    async with raw_server(b"") as url:
        with pytest.raises(Disconnected, match=r"no connection within 0\.1 s") as caught:
            async with open_socket(url, connect_timeout=0.1):
                pass
    assert_clean(caught.value)


async def test_garbage_for_a_handshake_is_a_disconnect() -> None:
    """A server of another protocol is tried again; its words are not repeated."""
    async with raw_server(f"220 hello {KEY}\r\n\r\n".encode()) as url:
        with pytest.raises(Disconnected, match="handshake failed: ") as caught:
            async with open_socket(url, connect_timeout=1.0):
                pass
    assert_clean(caught.value)


async def test_after_our_close_what_came_before_is_still_received() -> None:
    """A stop loses no frame that had reached the socket."""

    async def chatter(connection: ServerConnection) -> None:
        for number in range(500):
            await connection.send(str(number))
        await connection.wait_closed()

    async with serve(chatter, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_socket(f"ws://127.0.0.1:{port}/{KEY}", connect_timeout=1.0) as socket:
            first = await socket.recv()
            await asyncio.sleep(0.1)
            closing = asyncio.create_task(socket.close())
            *rest, _ = await everything(socket)
            await closing
            assert [first, *rest] == [b"%d" % number for number in range(500)]
            with pytest.raises(Disconnected):
                await socket.send("{}")
            with pytest.raises(Disconnected):
                await socket.ping()


async def test_a_slow_reader_still_gets_everything_after_our_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka being slow is no reason to give up what waits in the socket, megabytes here."""
    monkeypatch.setattr("connector.websocket._CLOSE_TIMEOUT", 1.5)
    sent = 0

    async def chatter(connection: ServerConnection) -> None:
        nonlocal sent
        with suppress(ConnectionClosed):
            while True:
                await connection.send(f"{sent:01000d}")
                sent += 1

    async with serve(chatter, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_socket(f"ws://127.0.0.1:{port}/{KEY}", connect_timeout=1.0) as socket:
            await asyncio.sleep(0.2)
            closing = asyncio.create_task(socket.close())
            await asyncio.sleep(2.0)
            *received, _ = await everything(socket)
            await closing
    assert len(received) > 100
    assert sent <= len(received) <= sent + 1


async def test_a_provider_that_ignores_our_close_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is silent or goes on sending."""
    monkeypatch.setattr("connector.websocket._CLOSE_TIMEOUT", 0.1)

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        with suppress(ConnectionClosed):
            while True:
                await connection.send("still here")
                await asyncio.sleep(0.01)

    async with serve(deaf, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_socket(f"ws://127.0.0.1:{port}/{KEY}", connect_timeout=1.0) as socket:
            closing = asyncio.create_task(socket.close())
            async with asyncio.timeout(1.0):
                await everything(socket)
                await closing
        for connection in server.connections:
            connection.transport.abort()


async def test_leaving_in_failure_does_not_wait_for_the_provider() -> None:
    """A process that ends because Kafka is gone has no seconds left for a closing handshake."""

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await asyncio.sleep(0.5)
        connection.transport.abort()

    async with serve(deaf, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(0.4):
            with pytest.raises(RuntimeError):
                async with open_socket(f"ws://127.0.0.1:{port}/{KEY}", connect_timeout=1.0):
                    raise RuntimeError


async def test_a_provider_that_reads_nothing_is_a_disconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that cannot be sent does not hang: the connection is cut, and both ends of it say why."""
    monkeypatch.setattr("connector.websocket._SEND_TIMEOUT", 0.1)

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.wait_closed()

    async with serve(deaf, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_socket(f"ws://127.0.0.1:{port}/{KEY}", connect_timeout=1.0) as socket:
            async with asyncio.timeout(1.0):
                with pytest.raises(Disconnected, match="took nothing we sent"):
                    await socket.send("x" * 20_000_000)
                assert await everything(socket) == [b"the provider took nothing we sent for 0.1 s"]
            for connection in server.connections:
                connection.transport.abort()
