"""The results as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table

from tests.bench.figures import figure
from tests.bench.latency import STAGES
from tests.bench.throughput import SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

Results = dict[str, Any]


def tables(results: Results) -> Group:
    """Return all tables; each figure is a median with its extremes over the repetitions."""
    parts: list[RenderableType] = [_machine(results["machine"])]
    if results["latency"]:
        parts += [_latency(results["latency"]), _waterfall(results["latency"]["ours"])]
    if results["throughput"]:
        parts += [_throughput(results["throughput"]), _state(results["throughput"])]
    if results["fold"]:
        parts.append(_fold(results["fold"]))
    return Group(*parts)


def _machine(machine: Results) -> Table:
    table = Table(title="Machine", title_justify="left", show_header=False)
    for name, value in machine.items():
        table.add_row(name, ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value))
    return table


def _latency(latency: dict[str, list[Results]]) -> Table:
    table = Table(title="(a) wire -> alert, ms: median (least - most) of the repetitions", title_justify="left")
    for column in ("", "floor, no logic", "ours", "ratio"):
        table.add_column(column, justify="right")
    for name, label in (("p50_ms", "p50"), ("p99_ms", "p99"), ("cpu_us_per_event", "CPU of both processes, us/event")):
        floor, ours = (figure(run[name] for run in latency[system]) for system in ("floor", "ours"))
        table.add_row(label, f"{floor:.2f}", f"{ours:.2f}", f"{ours / floor:.2f}")
    counts = {
        system: f"{sum(run['missing'] for run in runs)} of {sum(run['sent'] for run in runs)}"
        for system, runs in latency.items()
    }
    table.add_row("missing", counts["floor"], counts["ours"], "")
    return table


def _waterfall(runs: Sequence[Results]) -> Table:
    table = Table(title="    where ours spends it, ms", title_justify="left")
    for column in ("stretch", "p50", "p99"):
        table.add_column(column, justify="right")
    for name, _ in STAGES:
        cells = [
            f"{figure(run['waterfall_ms'][name][p] for run in runs):.2f}"
            for p in ("p50", "p99")
            if all(name in run["waterfall_ms"] for run in runs)
        ]
        table.add_row(name, *cells)
    return table


def _throughput(throughput: dict[str, list[Results]]) -> Table:
    table = Table(title="(b) events per CPU-second of the process", title_justify="left")
    for column in ("wallets", "raw read + JSON", "complete job", "ratio", "folds (wallet + market)"):
        table.add_column(column, justify="right")
    for shape in SHAPES:
        runs = throughput[shape]
        raw = figure(run["raw"]["events_per_cpu_s"] for run in runs)
        job = figure(run["worker"]["events_per_cpu_s"] for run in runs)
        folds = figure(run["worker"]["folds_per_cpu_s"] for run in runs)
        table.add_row(shape, f"{raw:,.0f}", f"{job:,.0f}", f"{job / raw:.3f}", f"{folds:,.0f}")
    return table


def _state(throughput: dict[str, list[Results]]) -> Table:
    table = Table(title="(c) bytes of remembered state per wallet", title_justify="left")
    for column in ("wallets", "count", "mean", "p50", "p99", "most", "key"):
        table.add_column(column, justify="right")
    for shape in SHAPES:
        state = throughput[shape][-1]["state"]
        sizes = [f"{state[name]:,.0f}" for name in ("mean_bytes", "p50_bytes", "p99_bytes", "most_bytes", "key_bytes")]
        table.add_row(shape, str(state["wallets"]), *sizes)
    return table


def _fold(rows: dict[str, dict[str, list[float]]]) -> Table:
    table = Table(title="(d) folding one order of a wallet, CPU us, without Kafka", title_justify="left")
    for column in ("", "us/order", "to the first"):
        table.add_column(column, justify="right")
    for group in rows.values():
        first = figure(next(iter(group.values())))
        for name, values in group.items():
            cost = figure(values)
            table.add_row(name, f"{cost:.1f}", f"{cost / first:.2f}, {cost.median - first.median:+.1f} us")
        table.add_section()
    return table
