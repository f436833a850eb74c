"""Shows the system while it runs: a live view on a terminal, a line every few seconds elsewhere. Shell."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from rich.live import Live

from connector.local.panel import draw, status_line
from connector.local.reader import follow
from connector.local.view import CURRENT, TOPICS, View

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from rich.console import Console

    from connector.local.system import System

_REFRESH_S = 0.25
_LINE_S = 5.0


async def show(system: System, prefix: str, console: Console, until: Coroutine[None, None, object]) -> None:
    """
    Show the system until `until` is done.

    Raises:
        ProcessFailed: a process ended meanwhile.
    """
    view = View()
    await first_done(until, system.watch(), _read(system, prefix, view), _display(system, view, console))


async def first_done(*coroutines: Coroutine[None, None, object]) -> None:
    """Run all until the first is done, and cancel the others; its error is ours."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _read(system: System, prefix: str, view: View) -> None:
    topics = {prefix + topic: topic for topic in TOPICS}
    since = {name: system.started_ms for name, topic in topics.items() if topic != CURRENT}
    async with aclosing(follow(system.kafka, list(topics), since)) as batches:
        async for name, records in batches:
            for record in records:
                view.absorb(topics[name], record)


async def _display(system: System, view: View, console: Console) -> None:
    if not console.is_terminal:
        while True:
            await asyncio.sleep(_LINE_S)
            console.print(status_line(view, await _connector(system), _now_ms()), highlight=False, soft_wrap=True)
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            live.update(draw(view, await _connector(system), _now_ms()), refresh=True)
            await asyncio.sleep(_REFRESH_S)


async def _connector(system: System) -> str:
    """Return the connector's state as the other end of its sockets sees it."""
    stats = await system.simulator.stats()
    if not stats["subscriptions"]:
        return "disconnected" if not stats["connections"] else "connected, not subscribed"
    return f"live, {stats['subscriptions']} subscription(s) on {stats['connections']} socket(s)"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
