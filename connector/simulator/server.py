"""Shell: the whole simulator, embedded (`async with Simulator(config) as sim`) or behind the command line."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from connector.simulator.admin import AdminApi
from connector.simulator.dialect import Dome
from connector.simulator.engine import Engine
from connector.simulator.market import GeneratedMarket
from connector.simulator.predexon import Predexon
from connector.simulator.replay import parse_recording, replay, with_indexes
from connector.simulator.rest_api import RestApi
from connector.simulator.settings import Config
from connector.simulator.socket_api import SocketApi
from connector.simulator.timeline import merged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from connector.simulator.book import Book, Executed
    from connector.simulator.faults import Fault
    from connector.simulator.timeline import Batch


_HOLD_POLL = 0.01


class Simulator:
    """
    A Dome of our own, on one port.

    Raises, on entering:
        OSError: the port is taken, or the recording cannot be read.
        InvalidRecording: the recording is not what it must be.
    """

    def __init__(self, config: Config | None = None, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.config = config or Config()
        self.port = 0
        """The port it listens on, once entered."""
        self.wallets: list[str] = []
        """Wallets of the recording and of the market, the busiest of each first."""
        self._clock_ns = clock_ns
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._engine = engine = Engine(
            switches=self.config.switches, clock_ns=self._clock_ns, keep_deliveries=self.config.keep_deliveries
        )
        sources = await asyncio.to_thread(self._sources)
        for fault in self.config.faults:
            engine.inject(fault)
        await self._listen()
        self._tasks = [
            asyncio.create_task(engine.play(merged(*sources))),
            asyncio.create_task(engine.strike()),
            asyncio.create_task(engine.ping()),
        ]
        if not self.config.paused:
            engine.playing.set()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        outcomes = await asyncio.gather(*self._tasks, return_exceptions=True)
        code = self.config.switches.stop_code
        channels = list(self._engine.channels.values())
        await asyncio.gather(*(channel.connection.close(code, "stopped") for channel in channels))
        await self._runner.cleanup()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    @property
    def book(self) -> Book:
        """Everything executed and delivered."""
        return self._engine.book

    @property
    def rest_url(self) -> str:
        """Base of the REST URLs, like `https://api.domeapi.io/v1` without the version."""
        return f"http://{self.config.host}:{self.port}"

    def ws_url(self, key: str = "dev-key") -> str:
        """Return the socket's URL for a key; it speaks the configured dialect."""
        path = "v1/" if self.config.dialect == "predexon" else ""
        return f"ws://{self.config.host}:{self.port}/{path}{key}"

    @property
    def connections(self) -> list[int]:
        """Numbers of the open connections."""
        return list(self._engine.channels)

    async def execute(self, rows: Iterable[Mapping[str, Any]]) -> list[Executed]:
        """Execute orders now, and wait until all but what faults hold back is sent and in the book."""
        executed = self._engine.execute(rows)
        await self._written()
        return executed

    async def settled(self) -> None:
        """Wait until nothing is queued for any socket, nor held back by a fault."""
        while any(channel.holding for channel in self._engine.channels.values()):  # noqa: ASYNC110 - as long as faults say
            await asyncio.sleep(_HOLD_POLL)
        await self._written()

    async def _written(self) -> None:
        for channel in list(self._engine.channels.values()):
            await channel.connection.settled.wait()

    def inject(self, fault: Fault) -> None:
        """Arm a fault."""
        self._engine.inject(fault)

    def clear_faults(self) -> None:
        """Disarm all faults."""
        self._engine.plan.clear()

    def play(self) -> None:
        """Start or resume replay and market."""
        self._engine.playing.set()

    def pause(self) -> None:
        """Hold replay and market; `execute` goes on working."""
        self._engine.playing.clear()

    def stats(self) -> dict[str, Any]:
        """Return counts of everything."""
        return self._engine.stats()

    async def serve(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; an error of the player ends it at once."""
        stopped = asyncio.create_task(stop.wait())
        running = set(self._tasks)
        while not stopped.done():
            done, _ = await asyncio.wait([stopped, *running], return_when=asyncio.FIRST_COMPLETED)
            running -= done
            for task in done:
                task.result()

    def _sources(self) -> list[Iterable[Batch]]:
        config = self.config
        sources: list[Iterable[Batch]] = []
        if config.replay is not None:
            shipped = files("connector.simulator") / "data" / "orders.jsonl"
            rows = parse_recording((shipped if config.replay == "recorded" else config.replay).read_bytes())
            self.wallets += dict.fromkeys(row["user"] for row in rows)
            rows = with_indexes(rows) if config.switches.recorded_indexes else rows
            sources.append(replay(rows, speed=config.speed, rebase=config.rebase))
        if config.market is not None:
            rng = Random(config.market)  # noqa: S311 - seeded on purpose
            market = GeneratedMarket(
                rng, rate=config.rate, burst=config.burst, wallets=config.wallets, twins=config.twins
            )
            self.wallets += market.wallets
            sources.append(market.batches())
        return sources

    def _routes(self, rng: Random) -> list[web.RouteDef]:
        """Return what the providers serve; a socket's route takes any path of its length, so they come last."""
        dome, predexon = Dome(), Predexon()
        rest = [
            RestApi(dialect, self._engine, self.config, clock_ns=self._clock_ns).route() for dialect in (dome, predexon)
        ]
        sockets = {
            dialect.name: SocketApi(dialect, self._engine, self.config, clock_ns=self._clock_ns, pick=rng.choice)
            for dialect in (dome, predexon)
        }
        return [*rest, sockets["predexon"].route("/v1/{key}"), sockets[self.config.dialect].route("/{key}")]

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(self._clock_ns() / 1e9, usegmt=True)

    async def _listen(self) -> None:
        rng = Random(self.config.seed)  # noqa: S311 - seeded on purpose
        app = web.Application()
        app.on_response_prepare.append(self._date)
        app.add_routes([*AdminApi(self._engine, self.wallets).routes(), *self._routes(rng)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.config.host, self.config.port).start()
        self.port = self._runner.addresses[0][1]
