"""The proxy is the ground other tests stand on: its own behaviour, over real sockets with generous bounds."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.support.delay_proxy import DelayProxy, Frames

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Server:
    """A TCP server on a free port, for the length of a test."""

    def __init__(self, handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self.handler = handler
        self.address = ("127.0.0.1", 0)

    async def __aenter__(self) -> tuple[str, int]:
        self._server = await asyncio.start_server(self._serve, *self.address)
        address: tuple[str, int] = self._server.sockets[0].getsockname()
        return address

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.handler(reader, writer)
        writer.close()

    async def __aexit__(self, *_: object) -> None:
        self._server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, until the other side has finished."""
    while chunk := await reader.read(1 << 16):
        writer.write(chunk)
        await writer.drain()


async def exchange(port: int, payload: bytes) -> tuple[bytes, float]:
    """Send the payload, half-close, read to the end; return the answer and the seconds it took."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(payload)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer, time.perf_counter() - began


async def test_the_round_trip_is_added_once() -> None:
    """100 ms of round trip delay an exchange by 100 ms, not by 50 or 200."""
    async with Server(echo) as target, DelayProxy(target, rtt_s=0.1, kafka=False) as proxy:
        answer, took = await exchange(proxy.port, b"hello")
    assert answer == b"hello"
    assert 0.1 <= took < 0.19


async def test_bytes_keep_their_order_and_are_not_slowed_by_their_number() -> None:
    """Two megabytes take one round trip, not one per chunk, and arrive as they were sent, after a half-close."""
    payload = b"".join(struct.pack(">I", number) for number in range(500_000))
    async with Server(echo) as target, DelayProxy(target, rtt_s=0.05, kafka=False) as proxy:
        answer, took = await exchange(proxy.port, payload)
    assert answer == payload
    assert took < 1.0


async def test_many_connections_wait_side_by_side() -> None:
    """A hundred connections with 100 ms each are done long before ten seconds."""
    async with Server(echo) as target, DelayProxy(target, rtt_s=0.1, kafka=False) as proxy:
        began = time.perf_counter()
        answers = await asyncio.gather(*(exchange(proxy.port, b"%d" % number) for number in range(100)))
    assert [answer for answer, _ in answers] == [b"%d" % number for number in range(100)]
    assert time.perf_counter() - began < 1.5


async def test_a_target_that_is_down_ends_the_connection() -> None:
    """A client sees the end of the stream, not silence."""
    async with Server(echo) as target:
        pass
    async with DelayProxy(target, kafka=False) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read() == b""
        writer.close()


async def test_a_cut_by_the_server_reaches_the_client() -> None:
    """When the server goes away in the middle, so does the proxied connection."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with Server(cut) as target, DelayProxy(target, kafka=False) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"x")
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 1.0) == b""
        writer.close()


def request(key: int, correlation: int) -> bytes:
    """Return a Kafka request without a body."""
    return struct.pack(">ihhi", 8, key, 0, correlation)


async def kafka_like(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request at once with its correlation id."""
    while head := await reader.read(4):
        body = await reader.readexactly(int.from_bytes(head, "big"))
        writer.write(struct.pack(">ii", 4, struct.unpack_from(">hhi", body)[2]))
        await writer.drain()


async def test_answers_to_a_chosen_request_are_held_back_in_order() -> None:
    """
    Only the chosen request waits, and what follows it on its connection.

        requests   1 (key 3)   2 (key 9)   3 (key 3)
        answers    1 at once ............. 2, 3 after 100 ms
    """
    async with Server(kafka_like) as target, DelayProxy(target, extra_s={9: 0.1}) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        began = time.perf_counter()
        writer.write(request(3, 1) + request(9, 2) + request(3, 3))
        arrivals = []
        for _ in range(3):
            _, correlation = struct.unpack(">ii", await reader.readexactly(8))
            arrivals.append((correlation, time.perf_counter() - began))
        writer.close()
    assert [correlation for correlation, _ in arrivals] == [1, 2, 3]
    assert arrivals[0][1] < 0.09
    assert 0.1 <= arrivals[1][1] <= arrivals[2][1] < 0.3


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(1, 60)))
def test_frames_do_not_depend_on_how_the_bytes_are_cut(bodies: list[bytes], cuts: list[int]) -> None:
    """However a stream is chunked, the same frames come out, sizes included."""
    sent = [len(body).to_bytes(4, "big") + body for body in bodies]
    stream = b"".join(sent)
    frames, got = Frames(), []
    for cut in cuts:
        got += frames.feed(stream[:cut])
        stream = stream[cut:]
    assert got + frames.feed(stream) == sent
