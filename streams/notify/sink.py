"""
`python -m streams.notify.sink`: where the demo's notifications go, and what a receiver of webhooks has to do. Shell.

It verifies the signature, takes each notification once, and prints it.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import os
import signal
import sys
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from connector.process.exits import DONE, USAGE
from connector.process.pages import page
from streams.notify.payload import Payload
from streams.notify.signature import headers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OLDEST_S: Final = 300
"""Of a signature: what was overheard cannot be sent again later."""
_REMEMBERED: Final = 10_000
"""Keys of the latest notifications; a notifier repeats what it was not sure of within minutes."""
_MOST_BYTES: Final = 4 * 1024 * 1024

_MANUAL = page(
    """\
Receives notifications as a program of yours would: verifies their signatures, takes each one once, and prints it.

Answers 204 to what it took, or had taken before; 401 to what is not signed with SINK_SECRET, or was so long ago.
""",
    "SINK_SECRET=only-for-the-sink-beside-it python -m streams.notify.sink --port 8000",
    codes={DONE: "stopped by SIGTERM or Ctrl-C", USAGE: "wrong usage, no SINK_SECRET, or the port is taken"},
    settings="SINK_SECRET: what the receiver's webhook has as its secret",
)


class Sink:
    """
    Takes notifications.

    Args:
        secret: What they are signed with.
        now_s: The time, in unix seconds.
        say: Called with a line of JSON for each of them.
    """

    def __init__(self, secret: str, *, now_s: Callable[[], float], say: Callable[[str], object]) -> None:
        self._secret = secret
        self._now_s = now_s
        self._say = say
        self._taken: OrderedDict[str, None] = OrderedDict()

    def app(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.add_routes([web.get("/", self._alive), web.post("/", self._receive)])
        return app

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _receive(self, request: web.Request) -> web.Response:
        key, body = request.headers.get("webhook-id", ""), await request.read()
        if not self._signed(request, key, body):
            return web.Response(status=401)
        try:
            told = msgspec.json.decode(body, type=Payload)
        except msgspec.DecodeError as error:
            return web.Response(status=400, text=f"{error}\n")
        if key not in self._taken:
            self._taken[key] = None
            if len(self._taken) > _REMEMBERED:
                self._taken.popitem(last=False)
            self._say(msgspec.json.encode({"title": told.title, "body": told.body}).decode())
        return web.Response(status=204)

    def _signed(self, request: web.Request, key: str, body: bytes) -> bool:
        stamp, given = (request.headers.get(f"webhook-{name}", "") for name in ("timestamp", "signature"))
        if not (stamp.isascii() and stamp.isdigit()) or abs(self._now_s() - int(stamp[:15])) > OLDEST_S:
            return False
        expected = headers(self._secret, key, body, int(stamp))["webhook-signature"]
        return any(hmac.compare_digest(each.encode(), expected.encode()) for each in given.split())


def main(arguments: Sequence[str]) -> int:
    """Run until a signal, and return the exit code."""
    given = make_parser().parse_args(arguments)
    secret = os.environ.get("SINK_SECRET", "")
    if not secret:
        sys.stderr.write("SINK_SECRET is not set: what notifications are signed with\n")
        return USAGE
    try:
        asyncio.run(_serve(given.host, given.port, secret))
    except OSError as error:
        sys.stderr.write(f"{given.host}:{given.port}: {error.strerror or error}\n")
        return USAGE
    return DONE


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m streams.notify.sink", description=_MANUAL, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on [%(default)s]")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    return parser


async def _serve(host: str, port: int, secret: str) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    sink = Sink(secret, now_s=lambda: time.time_ns() / 1e9, say=_say)
    runner = web.AppRunner(sink.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        _say(f"sink ready on {host}:{runner.addresses[0][1]}")
        await stop.wait()
    finally:
        await runner.cleanup()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
