"""
A TCP proxy that adds a round trip, and holds back the answers to chosen Kafka requests.

    python -m tests.support.delay_proxy --listen 9093 --target 127.0.0.1:9092 --rtt-ms 10 --extra-ms 9=40

Half of the round trip is added each way. Bytes keep their order and are not slowed otherwise: a
chunk is released at its own arrival plus the delay, so that many may be under way at once. An answer
held back holds back the later answers on its connection, as a slow broker would.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

OFFSET_FETCH = 9
"""Kafka's api key of OffsetFetch."""

_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_HOST = "127.0.0.1"
_CHUNK = 1 << 16
_HEADER = struct.Struct(">ihhi")  # size, api key, api version, correlation id
_ANSWER = struct.Struct(">ii")  # size, correlation id


class Frames:
    """Cuts a stream of bytes into Kafka's frames: a size of four bytes, and that many more."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that `data` completes, sizes included."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= 4 and len(self._buffer) >= (end := 4 + int.from_bytes(self._buffer[:4], "big")):
            frames.append(bytes(self._buffer[:end]))
            del self._buffer[:end]
        return frames


class _Pipe:
    """Releases chunks in order, each at its due time."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._queue: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()

    def put(self, due: float, chunk: bytes | None) -> None:
        """Queue a chunk for `due` (loop time); None ends the stream."""
        self._queue.put_nowait((due, chunk))

    async def run(self) -> None:
        """Write until the end of the stream, then half-close."""
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await self._queue.get()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if chunk is None:
                if self._writer.can_write_eof():
                    self._writer.write_eof()
                return
            if self._writer.is_closing():
                raise ConnectionResetError  # uvloop's transport would raise what is no OSError
            self._writer.write(chunk)
            await self._writer.drain()


class DelayProxy:
    """
    The proxy; `async with DelayProxy(target, rtt_s=0.01, extra_s={OFFSET_FETCH: 0.04}) as proxy: proxy.port`.

    `rtt_s` (seconds) and `extra_s` (api key -> seconds) may be changed while it runs; they apply to what
    arrives from then on. `kafka=False` passes any protocol, without `extra_s`.
    """

    def __init__(
        self,
        target: tuple[str, int],
        *,
        port: int = 0,
        rtt_s: float = 0.0,
        extra_s: Mapping[int, float] | None = None,
        kafka: bool = True,
    ) -> None:
        self.kafka = kafka
        self.target = target
        self.port = port
        self.rtt_s = rtt_s
        self.extra_s = dict(extra_s or {})
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` of the proxy."""
        return f"{_HOST}:{self.port}"

    async def start(self) -> None:
        """Listen; port 0 becomes the port that was given."""
        self._server = await asyncio.start_server(self._accept, _HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut all connections and stop listening."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()  # as a broker that is down
            return
        try:
            await self._forward((reader, writer), (far_reader, far_writer))
            writer.close()
            far_writer.close()
        except* OSError:
            pass  # one side cut the connection, so does the proxy to the other
        finally:
            for each in (writer, far_writer):
                if not each.is_closing():
                    each.transport.abort()

    async def _forward(self, near: _Stream, far: _Stream) -> None:
        timing = _Timing(self)
        async with asyncio.TaskGroup() as group:
            for reader, writer, release in ((near[0], far[1], timing.request), (far[0], near[1], timing.answer)):
                pipe = _Pipe(writer)
                group.create_task(pipe.run())
                group.create_task(_read(reader, pipe, release))


async def _read(source: asyncio.StreamReader, pipe: _Pipe, release: Callable[[_Pipe, bytes], None]) -> None:
    while chunk := await source.read(_CHUNK):
        release(pipe, chunk)
    release(pipe, b"")


class _Timing:
    """Decides when the chunks of one connection are released."""

    def __init__(self, proxy: DelayProxy) -> None:
        self._proxy = proxy
        self._requests = Frames()
        self._answers = Frames()
        self._extra: dict[int, float] = {}
        self._latest = 0.0

    def _due(self, extra: float = 0.0) -> float:
        return asyncio.get_running_loop().time() + self._proxy.rtt_s / 2 + extra

    def request(self, pipe: _Pipe, chunk: bytes) -> None:
        """Pass bytes to the server, noting the requests whose answers will be held back."""
        for frame in self._requests.feed(chunk) if self._proxy.kafka else ():
            _, key, _, correlation = _HEADER.unpack_from(frame)
            if key in self._proxy.extra_s:
                self._extra[correlation] = self._proxy.extra_s[key]
        pipe.put(self._due(), chunk or None)

    def answer(self, pipe: _Pipe, chunk: bytes) -> None:
        """Pass bytes to the client, each frame no earlier than it should be and never before a former one."""
        if not (self._proxy.kafka and chunk):
            pipe.put(self._due(), chunk or None)
            return
        for frame in self._answers.feed(chunk):
            _, correlation = _ANSWER.unpack_from(frame)
            pipe.put(self._due(self._extra.pop(correlation, 0.0)), frame)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", type=int, default=0, help="port to listen on, 0: a free one")
    parser.add_argument("--target", required=True, help="host:port to forward to")
    parser.add_argument("--rtt-ms", type=float, default=0.0, help="round trip added, half each way")
    parser.add_argument("--extra-ms", nargs="*", default=[], metavar="KEY=MS", help="held back per Kafka api key")
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> None:
    host, port = arguments.target.rsplit(":", 1)
    pairs = (item.split("=") for item in arguments.extra_ms)
    extra = {int(key): float(ms) / 1000 for key, ms in pairs}
    async with DelayProxy((host, int(port)), port=arguments.listen, rtt_s=arguments.rtt_ms / 1000, extra_s=extra) as it:
        print(f"delay proxy ready on {it.bootstrap}", flush=True)  # noqa: T201 (for the program that started it)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(_arguments()))
