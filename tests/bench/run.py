"""One whole benchmark: a broker of its own, and all measurements, interleaved."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from connector.local.broker import LocalKafka
from tests.bench import duel, fold, latency, moments, recovery, scale, throughput, watching, wire_to_kafka
from tests.bench.loads import USUAL
from tests.bench.machine import machine
from tests.bench.prepared import backlog
from tests.bench.systems import PARTITIONS, Bench, floor, ours

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from tests.bench.latency import System
    from tests.bench.loads import Load
    from tests.bench.plan import Plan
    from tests.support.progress import Say

    Part = Callable[[Bench, Plan, Say], Awaitable[dict[str, Any]]]


async def run(plan: Plan, parts: Iterable[str], say: Say) -> dict[str, Any]:
    """Measure `parts`, of `PARTS`, as planned; return every repetition's figures."""
    results: dict[str, Any] = {"machine": machine(), "plan": msgspec.to_builtins(plan)}
    folder = Path(tempfile.mkdtemp(prefix="walletstream-bench-"))
    say(f"starting Kafka; logs of the processes are in {folder}")
    async with LocalKafka() as kafka:
        bench = Bench(kafka.bootstrap, folder)
        for part in parts:
            results[part] = await PARTS[part](bench, plan, say)
    return results


async def _latencies(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    return await _compared(bench, plan, say, {"floor": floor, "ours": ours}, loads=plan.loads)


async def _pump(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    systems = {"floor": wire_to_kafka.floor, "ours": wire_to_kafka.connector}
    return await _compared(bench, plan, say, systems, loads=[USUAL])


async def _compared(
    bench: Bench, plan: Plan, say: Say, systems: Mapping[str, System], *, loads: Iterable[Load]
) -> dict[str, Any]:
    """Alternate the systems, and which of them goes first."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for place, load in enumerate(loads):
        for number, name in _turns(plan, list(systems)):
            figures = await latency.repetition(
                bench,
                systems[name],
                prefix=f"{systems[name].__module__}-{place}-{name}-{number}.",
                load=load,
                seconds=plan.seconds,
                warm_up_s=plan.warm_up_s,
            )
            found.setdefault(load.name, {}).setdefault(name, []).append(figures)
            say(
                f"{load.name} {number + 1}/{plan.repetitions} {name}: p50 {figures['p50_ms']:.2f} ms,"
                f" p99 {figures['p99_ms']:.2f} ms, {figures['missing']} missing"
            )
    return found


def _turns(plan: Plan, names: list[str]) -> Iterator[tuple[int, str]]:
    for number in range(plan.repetitions):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            yield number, name


async def _moments(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for number in range(plan.repetitions):
        for place, (name, event) in enumerate(moments.EVENTS.items()):
            figures = await moments.moment(
                bench,
                event,
                prefix=f"moment-{place}-{number}.",
                load=USUAL,
                seconds=plan.moment_s,
                warm_up_s=plan.warm_up_s,
            )
            found.setdefault(name, []).append(figures)
            say(f"{name}: longest {figures['most_ms']:,.0f} ms, {figures['missing']} missing")
    collected = await moments.collections(bench, prefix="collections.", load=USUAL, seconds=plan.moment_s)
    return {"events": found, "collections": collected}


async def _fold(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    return fold.measure(orders=plan.orders // 4, repetitions=plan.repetitions, folder=bench.folder, say=say)


async def _throughputs(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
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


async def _duel(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    return await duel.duel(bench.kafka, bench.folder, plan.duel, say)


async def _scale(_bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    found: dict[str, dict[str, list[dict[str, float]]]] = {"wallets": {}, "windows": {}}
    for _ in range(plan.repetitions):
        for wallets in plan.scale:
            figures = await scale.measured(wallets)
            found["wallets"].setdefault(f"{wallets:,}", []).append(figures)
            say(f"{wallets:,} wallets: {figures['us_per_order']:.1f} us/order")
        for windows in scale.WINDOWS:
            figures = await scale.measured(plan.scale[0], windows)
            found["windows"].setdefault(str(windows), []).append(figures)
            say(f"{windows} windows: {figures['us_per_order']:.1f} us/order")
    return found


async def _recovery(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for wallets in plan.restored:
        for number in range(plan.repetitions if wallets <= recovery.WALLETS[0] else 1):
            figures = await recovery.repetition(bench, prefix=f"recovery-{wallets}-{number}.", wallets=wallets)
            found.setdefault(str(wallets), []).append(figures)
            say(f"recovery of {wallets:,}: {figures['restore_s']:.1f} s, bare read {figures['raw_s']:.1f} s")
    return found


async def _watching(bench: Bench, plan: Plan, say: Say) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    for wallets in plan.watched:
        figures = await watching.repetition(bench, prefix=f"watching-{wallets}.", wallets=wallets, seconds=plan.seconds)
        found.setdefault(f"{wallets:,}", []).append(figures)
        say(f"{wallets:,} watched: live after {figures['live_s']:.1f} s, {figures['cpu_us_per_order']:.0f} us/order")
    return found


PARTS: dict[str, Part] = {
    "latency": _latencies,
    "pump": _pump,
    "moments": _moments,
    "throughput": _throughputs,
    "duel": _duel,
    "fold": _fold,
    "scale": _scale,
    "recovery": _recovery,
    "watching": _watching,
}
