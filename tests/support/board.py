"""The board under test: records as its topics hold them, and its process."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import msgspec

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import encode, order_record
from streams.board.access import Gate
from streams.board.feeds import Feeds
from streams.board.hub import Hub
from streams.board.metrics import Metrics
from streams.board.model import Board
from streams.board.readers import Reader
from streams.board.server import served
from streams.board.settings import Settings
from tests.support.child import started
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from streams.board.model import Topic

READY_S = 60.0
NOW_MS = 1_767_556_300_000
"""Of the tests that are given a time: some seconds after the order of `order_data`."""


class Record(NamedTuple):
    """A record as a consumer sees it."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()
    timestamp: int = NOW_MS
    topic: str = ""
    partition: int = 0
    offset: int = 0


def example(package: str, topic: str, number: int = 0, **changes: Any) -> bytes:
    """Return a checked-in example of a topic's value, with `changes`."""
    found = json.loads(files(package).joinpath("examples", f"{topic}.json").read_text())[number]
    return msgspec.json.encode(found.get("value", found) | changes)


def order(number: int = 0, *, at_ms: int = NOW_MS, took_ms: int = 20, source: str = "ws", **changes: Any) -> Record:
    """Return an order that arrived at `at_ms`, `took_ms` after its bytes; `number` tells it from others."""
    provenance = Provenance(
        source=source,  # type: ignore[arg-type]
        provider="test",
        received_ns=(at_ms - took_ms) * 1_000_000,
        label=changes.pop("label", None),
        gap_id=changes.pop("gap_id", None),
    )
    data = order_data(timestamp=at_ms // 1_000, tx_hash=f"0x{number:064x}") | changes
    parsed = parse_order(data)
    value = encode(order_record(parsed, content_id(parsed), 0))
    return Record(value, parsed.user.encode(), provenance.headers(at_ms * 1_000_000), at_ms)


def window(orders: int = 0, volume: int = 0, net_flow: int = 0) -> dict[str, Any]:
    """Return a wallet's statistics of one window."""
    none = {"mean_order": None, "max_order": None, "mean_price": None}
    sides = {"buys": orders, "sells": 0, "bought": volume, "sold": 0}
    return {"orders": orders, "volume": volume, "net_flow": net_flow, "markets": 1, **sides, **none}


def wallet_stats(wallet: str = WALLET, *, offset: int = 0, windows: dict[str, Any] | None = None) -> bytes:
    """Return a value of `wallet-stats.v1`; windows that are not given are empty."""
    given = windows or {}
    return msgspec.json.encode(
        {
            "schema": 1,
            "wallet": wallet,
            "as_of": NOW_MS,
            "as_of_offset": offset,
            "partition": 0,
            "windows": {name: given.get(name, window()) for name in ("1m", "5m", "1h", "24h")},
            "late": 0,
            "positions": [],
            "positions_dropped": 0,
        }
    )


def alert(alert_id: str = "a1", **changes: Any) -> bytes:
    """Return a value of `alerts.v1`; an alert that is its own episode unless `changes` say otherwise."""
    return example("streams", "alerts.v1", **({"alert_id": alert_id, "episode": alert_id} | changes))


class Running(NamedTuple):
    """A board in this process."""

    board: Board
    feeds: Feeds
    metrics: Metrics
    address: str
    """Of its page, without the last slash."""

    def absorb(self, topic: Topic, *records: Record) -> None:
        """Take in records as if they had been read."""
        for record in records:
            self.board.absorb(topic, record)


@asynccontextmanager
async def running(*, token: str = "", port: int = 0) -> AsyncIterator[Running]:
    """Run a board without readers in this process: tests feed it, or `reading` does."""
    board, feeds, metrics = Board(), Feeds(), Metrics()
    hub = Hub(board, feeds, metrics)
    ticking = asyncio.ensure_future(hub.run())
    try:
        async with served(hub, Gate(token, "127.0.0.1"), host="127.0.0.1", port=port) as taken:
            yield Running(board, feeds, metrics, f"http://127.0.0.1:{taken}")
    finally:
        ticking.cancel()


@asynccontextmanager
async def reading(**settings: object) -> AsyncIterator[Running]:
    """Run a board in this process that reads its topics."""
    given = Settings.model_validate(settings)
    async with running() as here:
        readers = [Reader(given, feed, here.board, here.metrics) for feed in here.feeds.all.values()]
        tasks = [asyncio.ensure_future(reader.run()) for reader in readers]
        try:
            yield here
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def board(folder: Path, *, log: Path | None = None, **settings: object) -> AsyncIterator[str]:
    """Run the board as a process; yields the page's address, without the last slash."""
    log = log or folder / f"board-{time.monotonic_ns()}.log"
    given = {"BOARD_ADDRESS": "127.0.0.1:0", "LOG_FORMAT": "json"} | settings
    async with started(folder, "streams", "board", settings=given, log=log):
        yield await ready(log)


async def ready(log: Path) -> str:
    """Return the page's address as soon as a board's log tells it."""
    async with asyncio.timeout(READY_S):
        while not (told := _lines(log, "board.ready")):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.05)
    return str(json.loads(told[0])["page"]).rstrip("/")


def _lines(log: Path, event: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if event in line]


class Events:
    """The server-sent events of a board, as a viewer gets them."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Return kind and frame of the next event."""
        async with asyncio.timeout(READY_S):
            kind, data = [await self._answer.content.readuntil(b"\n") for _ in range(2)]
            await self._answer.content.readuntil(b"\n")
        return kind.partition(b": ")[2].strip().decode(), json.loads(data.partition(b": ")[2])

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first frame from here on that is wanted."""
        async with asyncio.timeout(READY_S):
            while True:
                _, frame = await self.next()
                if wanted(frame):
                    return frame


@asynccontextmanager
async def events(address: str, **headers: str) -> AsyncIterator[Events]:
    """Watch a board."""
    async with (
        aiohttp.ClientSession(read_bufsize=1 << 24) as client,
        client.get(f"{address}/events", headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as answer,
    ):
        answer.raise_for_status()
        assert answer.content_type == "text/event-stream"
        yield Events(answer)


def conditions(frame: dict[str, Any]) -> set[str]:
    """Return how reading of the topics goes."""
    return {topic["condition"] for topic in frame["strip"]["topics"]}


def crowd(number: int, wallets: int, at_ms: int) -> tuple[Record, bytes]:
    """Return the next of many orders, of one of so many wallets, and the statistics that follow it."""
    wallet = f"0x{number * 7919 % wallets:040x}"
    record = order(number, at_ms=at_ms, user=wallet, side="SELL" if number % 3 else "BUY")
    windows = {name: window(number, number * 1_000_000, -number) for name in ("1m", "5m", "1h", "24h")}
    return record, wallet_stats(wallet, offset=number, windows=windows)
