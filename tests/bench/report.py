"""The results as tables, one per part, and the verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table

from tests.bench.figures import figure
from tests.bench.goals import ratio, verdicts
from tests.bench.latency import STAGES
from tests.bench.throughput import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

Results = dict[str, Any]

_LATENCIES = (
    ("p50_ms", "p50, ms"),
    ("p99_ms", "p99, ms"),
    ("p99_9_ms", "p99.9, ms"),
    ("cpu_us_per_event", "CPU, us/order"),
)


def tables(results: Results) -> Group:
    """Return all tables; each figure is a median with its extremes over the repetitions."""
    parts: list[RenderableType] = [_machine(results["machine"])]
    for part, drawn in _DRAWN.items():
        if results.get(part):
            parts += drawn(results[part])
    return Group(*parts, _verdicts(results))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _machine(machine: Results) -> Table:
    table = Table(title="Machine", title_justify="left", show_header=False)
    for name, value in machine.items():
        table.add_row(name, ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value))
    return table


def _latency(latency: Results) -> Iterator[Table]:
    yield from _compared("wire -> alert", latency)
    for load, systems in latency.items():
        yield _waterfall(load, systems["ours"])


def _pump(pump: Results) -> Iterator[Table]:
    yield from _compared("wire -> orders.v1, the connector alone", pump)


def _compared(title: str, loads: Results) -> Iterator[Table]:
    table = _table(title, "load", "", "floor, no logic", "ours", "ratio")
    for load, systems in loads.items():
        for name, label in _LATENCIES:
            floor, ours = (figure(run[name] for run in systems[each]) for each in ("floor", "ours"))
            found = ratio(systems["ours"], systems["floor"], name)
            table.add_row(load, label, f"{floor:.2f}", f"{ours:.2f}", f"{found:.2f}")
        counts = [f"{sum(run['missing'] for run in systems[each])}" for each in ("floor", "ours")]
        table.add_row(load, "missing", *counts, "")
        table.add_section()
    yield table


def _waterfall(load: str, runs: Sequence[Results]) -> Table:
    table = _table(f"where ours spends it at {load}, ms", "stretch", "p50", "p99")
    for name, _ in STAGES:
        cells = [
            f"{figure(run['waterfall_ms'][name][p] for run in runs):.2f}"
            for p in ("p50", "p99")
            if all(name in run["waterfall_ms"] for run in runs)
        ]
        table.add_row(name, *cells)
    return table


def _moments(moments: Results) -> Iterator[Table]:
    table = _table("wire -> alert while something happens, ms", "", "p50", "p99", "longest", "missing")
    for name, runs in moments["events"].items():
        cells = [f"{figure(run[each] for run in runs):,.1f}" for each in ("p50_ms", "p99_ms", "most_ms")]
        table.add_row(name, *cells, str(sum(run["missing"] for run in runs)))
    collected = moments["collections"]
    table.caption = (
        f"garbage collections of the worker: {collected['collections']}, the longest {collected['longest_ms']:.1f} ms,"
        f" {collected['share']:.2%} of the time"
    )
    yield table


def _throughput(throughput: Results) -> Iterator[Table]:
    table = _table(
        "orders per CPU-second of the worker", "wallets", "read + decode", "complete job", "ratio", "folds (both)"
    )
    for shape in SHAPES:
        runs = throughput[shape]
        raw = figure(run["raw"]["events_per_cpu_s"] for run in runs)
        job = figure(run["worker"]["events_per_cpu_s"] for run in runs)
        folds = figure(run["worker"]["folds_per_cpu_s"] for run in runs)
        table.add_row(shape, f"{raw:,.0f}", f"{job:,.0f}", f"{job / raw:.3f}", f"{folds:,.0f}")
    yield table
    sizes = _table("bytes of remembered state per wallet", "wallets", "count", "mean", "p50", "p99", "most", "key")
    for shape in SHAPES:
        state = throughput[shape][-1]["state"]
        cells = [f"{state[name]:,.0f}" for name in ("mean_bytes", "p50_bytes", "p99_bytes", "most_bytes", "key_bytes")]
        sizes.add_row(shape, str(state["wallets"]), *cells)
    yield sizes


def _duel(duel: Results) -> Iterator[Table]:
    table = _table("the wallet half, orders per CPU-second; same answers", "wallets", "", "orders/CPU-s", "ours to it")
    for shape, contestants in duel["shapes"].items():
        for name, runs in contestants.items():
            found = ratio(contestants["ours"], runs, "events_per_cpu_s")
            table.add_row(shape, name, f"{figure(run['events_per_cpu_s'] for run in runs):,.0f}", f"{found:.2f}")
        table.add_section()
    table.caption = " ".join(duel["left_out"])
    yield table


def _fold(rows: dict[str, dict[str, list[float]]]) -> Iterator[Table]:
    table = _table("folding one order, CPU us, without Kafka", "", "us/order", "to the first")
    for group in rows.values():
        first = figure(next(iter(group.values())))
        for name, values in group.items():
            cost = figure(values)
            table.add_row(name, f"{cost:.1f}", f"{cost / first:.2f}, {cost.median - first.median:+.1f} us")
        table.add_section()
    yield table


def _scale(scale: Results) -> Iterator[Table]:
    table = _table(
        "one order of a wallet in a shard; wallets that were not used for long are decoded first",
        "",
        "us/order",
        "to the first",
        "bytes/wallet",
    )
    for name, rows in scale.items():
        first = figure(run["us_per_order"] for run in next(iter(rows.values())))
        for row, runs in rows.items():
            cost = figure(run["us_per_order"] for run in runs)
            held = figure(run["bytes_per_wallet"] for run in runs)
            table.add_row(f"{row} {name}", f"{cost:.1f}", f"{cost / first:.2f}", f"{held:,.0f}")
        table.add_section()
    yield table


def _recovery(recovery: Results) -> Iterator[Table]:
    columns = ("wallets", "bare read, s", "restored after, s", "ratio", "longest wait for /livez, s", "bytes/wallet")
    table = _table("a worker takes over", *columns)
    for wallets, runs in recovery.items():
        raw, ours, answer, held = (
            figure(run[name] for run in runs) for name in ("raw_s", "restore_s", "longest_answer_s", "bytes_per_wallet")
        )
        cells = (f"{raw:.2f}", f"{ours:.2f}", f"{ours / raw:.2f}", f"{answer:.2f}", f"{held:,.0f}")
        table.add_row(f"{int(wallets):,}", *cells)
    yield table


def _watching(watching: Results) -> Iterator[Table]:
    table = _table("a connector by watched wallets", "wallets", "all live after, s", "RSS, MiB", "CPU, us/order")
    for wallets, runs in watching.items():
        cells = [f"{figure(run[name] for run in runs):,.1f}" for name in ("live_s", "rss_mib", "cpu_us_per_order")]
        table.add_row(wallets, *cells)
    yield table


_DRAWN: dict[str, Callable[[Any], Iterator[Table]]] = {
    "latency": _latency,
    "pump": _pump,
    "moments": _moments,
    "throughput": _throughput,
    "duel": _duel,
    "fold": _fold,
    "scale": _scale,
    "recovery": _recovery,
    "watching": _watching,
}


def _verdicts(results: Results) -> Table:
    table = Table(title="Goals", title_justify="left")
    for column in ("goal", "wanted", "found", "verdict"):
        table.add_column(column)
    for verdict in verdicts(results):
        table.add_row(verdict.goal, verdict.wanted, verdict.found, "MET" if verdict.met else "NOT MET")
    return table
