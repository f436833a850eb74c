"""Shows the system while it runs: a live view on a terminal, a line every few seconds elsewhere. Shell."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.text import Text

from connector.local.panel import draw, status
from connector.local.reader import follow
from connector.local.view import CURRENT, TOPICS, View

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from rich.console import Console

    from connector.local.system import System

_REFRESH_S = 0.25
_LINE_S = 5.0
_HINT = Text("Ctrl-C ends it ", "dim")


async def show(system: System, console: Console, until: Coroutine[None, None, object]) -> None:
    """
    Show the system until `until` is done.

    Raises:
        ProcessFailed: a process ended meanwhile.
    """
    view = View()
    await first_done(until, system.watch(), _read(system, view), _display(system, view, console))


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


async def _read(system: System, view: View) -> None:
    topics = {system.prefix + topic: topic for topic in TOPICS}
    since = {name: system.started_ms for name, topic in topics.items() if topic not in CURRENT}
    async with aclosing(follow(system.kafka, list(topics), since, **system.security)) as batches:
        async for name, records in batches:
            for record in records:
                view.absorb(topics[name], record)


async def _display(system: System, view: View, console: Console) -> None:
    if not console.is_terminal:
        while True:
            await asyncio.sleep(_LINE_S)
            for line in status(view, system.connector_state().text, _now_ms()):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
    topics = f"{system.prefix}alerts.v1, ... on {system.kafka}"
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            state = system.connector_state().text
            drawing = draw(view, state, topics, now_ms=_now_ms(), height=console.height - 1)
            # A short last line leaves room for the terminal's own ^C, which else would scroll the view.
            live.update(Group(drawing, _HINT), refresh=True)
            await asyncio.sleep(_REFRESH_S)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
