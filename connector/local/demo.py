"""The demo: the whole system for a while, then the audit of what the topics hold against the book. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from connector.local.audit import Audit, audit, caught_up
from connector.local.console import first_done, show
from connector.local.reader import end_offsets, read_all
from connector.local.summary import faults, summary
from connector.local.system import System, running

if TYPE_CHECKING:
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
    async with running(plan, lambda text: console.print(f"- {text}", highlight=False)) as system:
        await system.simulator.play()
        await show(system, plan.prefix, console, interrupts.play(seconds))
        await system.simulator.pause()
        console.print("- market stopped; draining and auditing", highlight=False)
        report: list[Audit] = []
        await first_done(system.watch(), _conclude(system, plan, console, report))
        return all(found.clean for found in report)


async def run(plan: Plan, console: Console, interrupts: Interrupts) -> None:
    """Run the whole system until a signal, without an audit; raises `LocalError` like `demo`."""
    async with running(plan, lambda text: console.print(f"- {text}", highlight=False)) as system:
        console.print(f"- Kafka for consumers: {system.kafka}, topics {plan.prefix}alerts.v1, ...", highlight=False)
        await system.simulator.play()
        await show(system, plan.prefix, console, interrupts.play())


async def _conclude(system: System, plan: Plan, console: Console, report: list[Audit]) -> None:
    orders_topic, statistics_topic = plan.prefix + "orders.v1", plan.prefix + "wallet-stats.v1"
    await _at_rest(system, orders_topic)
    await _caught_up(system, orders_topic, statistics_topic)
    orders, statistics, alerts = [
        await read_all(system.kafka, topic) for topic in (orders_topic, statistics_topic, plan.prefix + "alerts.v1")
    ]
    found = audit(await system.simulator.orders(), orders, statistics, watched=system.wallets)
    console.print(summary(found, orders=orders, statistics=statistics, alerts=alerts))
    for line in faults(found):
        console.print(f"  {line}", highlight=False, markup=False)
    report.append(found)


async def _at_rest(system: System, topic: str) -> None:
    """Wait until nothing more arrives in the topic, or until it has had time enough."""
    watched = set(system.wallets)
    executed = sum(order["user"].lower() in watched for order in await system.simulator.orders())
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
