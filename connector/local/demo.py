"""What the commands do: run the system and show it; the demo then audits the topics against the book. Shell."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from connector.local.audit import Audit, audit, caught_up
from connector.local.console import first_done, show
from connector.local.reader import end_offsets, read_all
from connector.local.summary import faults, summary
from connector.local.system import Simulated, System, provided, simulated

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from connector.local.interrupts import Interrupts
    from connector.local.plan import Plan

_DRAIN_S = 15.0
_STILL_S = 1.0
_CATCH_UP_S = 30.0
_POLL_S = 0.25


async def demo(plan: Plan, console: Console, interrupts: Interrupts, *, seconds: float | None) -> bool:
    """
    Run for `seconds` (None: until a signal), stop the market, drain, audit, and print the summary.

    Returns:
        Whether everything that was executed is in the topics exactly once.

    Raises:
        LocalError: something did not start, or ended by itself.
    """
    async with simulated(plan, _say(console)) as demonstrated:
        system, simulator, _ = demonstrated
        _introduce(system, console)
        await simulator.play()
        await show(system, console, interrupts.play(seconds))
        await simulator.pause()
        console.print("- market stopped; draining and auditing", highlight=False)
        report: list[Audit] = []
        await first_done(system.watch(), _conclude(demonstrated, console, report))
        return all(found.clean for found in report)


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


async def _conclude(demonstrated: Simulated, console: Console, report: list[Audit]) -> None:
    system, simulator, wallets = demonstrated
    orders_topic, statistics_topic = system.prefix + "orders.v1", system.prefix + "wallet-stats.v1"
    await _at_rest(demonstrated, orders_topic)
    await _caught_up(system, orders_topic, statistics_topic)
    orders, statistics, alerts = [
        await read_all(system.kafka, topic) for topic in (orders_topic, statistics_topic, system.prefix + "alerts.v1")
    ]
    found = audit(await simulator.orders(), orders, statistics, watched=wallets)
    console.print(summary(found, orders=orders, statistics=statistics, alerts=alerts))
    for line in faults(found):
        console.print(f"  {line}", highlight=False, markup=False)
    report.append(found)


async def _at_rest(demonstrated: Simulated, topic: str) -> None:
    """Wait until nothing more arrives in the topic, or until it has had time enough."""
    system, simulator, wallets = demonstrated
    watched = set(wallets)
    executed = sum(order["user"].lower() in watched for order in await simulator.orders())
    loop = asyncio.get_running_loop()
    began = changed = loop.time()
    size = -1
    while loop.time() - began < _DRAIN_S:
        now = sum((await end_offsets(system.kafka, topic)).values())
        if now != size:
            size, changed = now, loop.time()
        if size >= executed and loop.time() - changed >= _STILL_S:
            return
        await asyncio.sleep(_POLL_S)


async def _caught_up(system: System, orders: str, statistics: str) -> None:
    """Wait until the worker's statistics reach the end of the orders, or until it has had time enough."""
    ends = await end_offsets(system.kafka, orders)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _CATCH_UP_S
    while loop.time() < deadline:
        if caught_up(ends, await read_all(system.kafka, statistics)):
            return
        await asyncio.sleep(_POLL_S)
