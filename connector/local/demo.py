"""What the commands do: run the system and show it; the demo then audits the topics against the book. Shell."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from connector.kafka.reader import end_offsets
from connector.local.audit import audit, caught_up
from connector.local.console import first_done, show
from connector.local.reader import read_all
from connector.local.summary import faults, summary
from connector.local.system import Simulated, System, provided, simulated
from connector.local.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from connector.local.completeness import Completeness
    from connector.local.interrupts import Interrupts
    from connector.local.plan import Plan

_DRAIN_S = 90.0
"""For gaps to close, and for a comparison with REST where something is missing."""
_STILL_S = 1.0
_CATCH_UP_S = 30.0
_POLL_S = 0.25


async def demo(plan: Plan, console: Console, interrupts: Interrupts, *, seconds: float | None) -> bool:
    """
    Run for `seconds` (None: until a signal), stop the market, drain, audit, and print the summary.

    Returns:
        Whether everything that was executed is in the topics exactly once, and no gap is open.

    Raises:
        LocalError: something did not start, or ended by itself.
    """
    async with simulated(plan, _say(console)) as demonstrated:
        system, simulator, _ = demonstrated
        _introduce(system, console)
        await simulator.play()
        await show(system, console, interrupts.play(seconds))
        await simulator.pause()
        await simulator.calm()
        console.print("- market stopped; draining and auditing", highlight=False)
        report: list[bool] = []
        await first_done(system.watch(), _conclude(demonstrated, console, report))
        return all(report)


async def run_simulated(plan: Plan, console: Console, interrupts: Interrupts) -> None:
    """Run the whole system on a simulator until a signal, without an audit; raises `LocalError` like `demo`."""
    async with simulated(plan, _say(console)) as (system, simulator, _):
        _introduce(system, console)
        await simulator.play()
        await show(system, console, interrupts.play())


async def run_provided(plan: Plan, console: Console, interrupts: Interrupts) -> None:
    """Run the whole system on a provider until a signal; raises `LocalError` like `demo`."""
    async with provided(plan, _say(console)) as system:
        _introduce(system, console)
        await show(system, console, interrupts.play())


def _say(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(f"- {text}", highlight=False, markup=False, soft_wrap=True)


def _introduce(system: System, console: Console) -> None:
    """Say where the topics are, and how to look at one."""
    say = _say(console)
    say(f"Kafka for consumers: {system.kafka}, topics {system.prefix}orders.v1, {system.prefix}alerts.v1, ...")
    say("look at them from another terminal:")
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    topic = f"{system.prefix}alerts.v1"
    command = f"{shown} -m connector.local consume {topic} --kafka {system.kafka} --from-beginning --max-messages 1"
    console.print(f"    {command}", highlight=False, markup=False, soft_wrap=True)
    say("or all of it on a page in your browser:")
    command = f"KAFKA={system.kafka} TOPIC_PREFIX={system.prefix} {shown} -m streams board"
    console.print(f"    {command}", highlight=False, markup=False, soft_wrap=True)


async def _conclude(demonstrated: Simulated, console: Console, report: list[bool]) -> None:
    system, simulator, wallets = demonstrated
    orders_topic, statistics_topic = system.prefix + "orders.v1", system.prefix + "wallet-stats.v1"
    completeness = await _at_rest(demonstrated, orders_topic)
    await _caught_up(system, orders_topic, statistics_topic)
    orders, statistics, alerts = [
        await read_all(system.kafka, topic, **system.security)
        for topic in (orders_topic, statistics_topic, system.prefix + "alerts.v1")
    ]
    found = audit(await simulator.orders(), orders, statistics, watched=wallets)
    console.print(summary(found, completeness, orders=orders, statistics=statistics, alerts=alerts))
    for line in faults(found):
        console.print(f"  {line}", highlight=False, markup=False)
    report.append(found.clean and not completeness.open)


async def _at_rest(demonstrated: Simulated, topic: str) -> Completeness:
    """
    Wait until nothing more can arrive in the topic, or until it has had time enough; return coverage and gaps.

    Nothing can when all is there and no gap is open, or when every wallet was compared with REST since.
    """
    system, simulator, wallets = demonstrated
    watched = set(wallets)
    executed = sum(order["user"].lower() in watched for order in await simulator.orders())
    watcher = Watcher(system.kafka, system.prefix, system.security)
    loop = asyncio.get_running_loop()
    began = changed = loop.time()
    paused_ms = time.time_ns() // 1_000_000
    size = -1
    while True:
        now = sum((await end_offsets(system.kafka, topic, **system.security)).values())
        if now != size:
            size, changed = now, loop.time()
        completeness = await watcher.refresh()
        complete = size >= executed or completeness.verified_until_ms > paused_ms
        if complete and not completeness.open and loop.time() - changed >= _STILL_S:
            return completeness
        if loop.time() - began >= _DRAIN_S:
            return completeness
        await asyncio.sleep(_POLL_S)


async def _caught_up(system: System, orders: str, statistics: str) -> None:
    """Wait until the worker's statistics reach the end of the orders, or until it has had time enough."""
    ends = await end_offsets(system.kafka, orders, **system.security)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _CATCH_UP_S
    while loop.time() < deadline:
        if caught_up(ends, await read_all(system.kafka, statistics, **system.security)):
            return
        await asyncio.sleep(_POLL_S)
