"""One whole benchmark: a broker of its own, and all measurements, interleaved."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from connector.local.broker import LocalKafka
from tests.bench import fold, latency, throughput
from tests.bench.machine import machine
from tests.bench.prepared import backlog
from tests.bench.systems import PARTITIONS, Bench, floor, ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.plan import Plan

    Say = Callable[[str], None]

SYSTEMS = {"floor": floor, "ours": ours}


async def run(plan: Plan, parts: set[str], say: Say) -> dict[str, Any]:
    """Measure `parts` (`latency`, `throughput`, `fold`) as planned; return every repetition's figures."""
    results: dict[str, Any] = {
        "machine": machine(),
        "plan": msgspec.to_builtins(plan),
        "latency": {},
        "throughput": {},
        "fold": {},
    }
    folder = Path(tempfile.mkdtemp(prefix="walletstream-bench-"))
    say(f"starting Kafka; logs of the processes are in {folder}")
    async with LocalKafka() as kafka:
        bench = Bench(kafka.bootstrap, folder)
        if "latency" in parts:
            results["latency"] = await _latencies(bench, plan, say)
        if "fold" in parts:
            results["fold"] = fold.measure(
                orders=plan.orders // 4, repetitions=plan.repetitions, folder=folder, say=say
            )
        if "throughput" in parts:
            results["throughput"] = await _throughputs(bench, plan, say)
    return results


async def _latencies(bench: Bench, plan: Plan, say: Say) -> dict[str, list[dict[str, Any]]]:
    """Alternate the systems, and which of them goes first."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SYSTEMS}
    for number in range(plan.repetitions):
        for name in sorted(SYSTEMS, reverse=number % 2 == 1):
            figures = await latency.repetition(
                bench,
                SYSTEMS[name],
                prefix=f"latency-{name}-{number}.",
                rate=plan.rate,
                seconds=plan.seconds,
                warm_up_s=plan.warm_up_s,
            )
            found[name].append(figures)
            say(
                f"latency {number + 1}/{plan.repetitions} {name}: p50 {figures['p50_ms']:.2f} ms,"
                f" p99 {figures['p99_ms']:.2f} ms, {figures['missing']} missing"
            )
    return found


async def _throughputs(bench: Bench, plan: Plan, say: Say) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {shape: [] for shape in throughput.SHAPES}
    start = time.time() - plan.backlog_s  # noqa: TID251 - orders of now
    prepared = {
        shape: backlog(
            plan.orders,
            shape=shape,
            wallets=plan.wallets,
            partitions=PARTITIONS,
            start=start,
            seconds=plan.backlog_s,
        )
        for shape in throughput.SHAPES
    }
    for number in range(plan.repetitions):
        for shape, orders in prepared.items():
            figures = await throughput.repetition(bench, orders, prefix=f"throughput-{shape}-{number}.")
            found[shape].append(figures | {"busiest_wallet": orders.busiest})
            say(
                f"throughput {number + 1}/{plan.repetitions} {shape}:"
                f" raw {figures['raw']['events_per_cpu_s']:,.0f},"
                f" complete job {figures['worker']['events_per_cpu_s']:,.0f} events per CPU-second"
            )
    return found
