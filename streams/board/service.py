"""The board as a service: readers, hub and server together. Shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from connector.process.status import status_served
from streams.board.access import Gate
from streams.board.feeds import Feeds
from streams.board.hub import Hub
from streams.board.metrics import Metrics
from streams.board.model import Board
from streams.board.readers import Reader
from streams.board.server import served

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.board.settings import Settings

_STUCK_S = 30.0
_OBSERVE_S = 1.0
_CANCEL_S = 1.0

log = structlog.get_logger("streams.board")


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """
    Serve the board until `stop`; a Kafka that is away is shown, not raised.

    Raises:
        OSError: an address is taken, or not ours.
    """
    board, feeds, metrics = Board(), Feeds(), Metrics()
    hub = Hub(board, feeds, metrics)

    def live() -> str:
        late = time.monotonic() - hub.ticked
        return f"nothing was sent for {late:.0f} s" if late > _STUCK_S else ""

    status = status_served(settings.status_address, registry=metrics.registry, live=live, ready=feeds.wrong)
    page = served(hub, Gate(settings.token, settings.host), host=settings.host, port=settings.port)
    async with status as status_address, page as port, asyncio.TaskGroup() as group:
        host = settings.board_address.rpartition(":")[0]
        log.info("board.ready", page=f"http://{host}:{port}/", status=status_address, kafka=settings.kafka)
        tasks = [group.create_task(Reader(settings, feed, board, metrics).run()) for feed in feeds.all.values()]
        tasks.append(group.create_task(hub.run()))
        tasks.append(group.create_task(_observe(board, feeds, metrics)))
        await stop.wait()
        await _ended(tasks)


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel them until all have ended: a Kafka client that is amid an answer loses a cancellation now and then."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_CANCEL_S)


async def _observe(board: Board, feeds: Feeds, metrics: Metrics) -> None:
    """Keep those metrics up to date that are states."""
    counted = 0
    while True:
        for topic, feed in feeds.all.items():
            metrics.behind.labels(topic).set(feed.behind)
            metrics.reading.labels(topic).set(feed.condition == "reading")
        metrics.unreadable.inc(board.unreadable - counted)
        counted = board.unreadable
        await asyncio.sleep(_OBSERVE_S)
