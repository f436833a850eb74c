"""What the project wants of its speed, and whether a run met it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tests.bench.figures import Figure, figure
from tests.bench.loads import USUAL

if TYPE_CHECKING:
    from collections.abc import Iterator

Results = dict[str, Any]

_HEARTBEAT_S = 2.5
"""Between two heartbeats of a worker by default."""


class Verdict(NamedTuple):
    """One goal, and what was found."""

    goal: str
    wanted: str
    found: str
    met: bool


def verdicts(results: Results) -> Iterator[Verdict]:
    """Yield a verdict on each goal of which something was measured."""
    judges = {
        "latency": _latency,
        "duel": _duel,
        "throughput": _throughput,
        "scale": _scale,
        "recovery": _recovery,
        "pump": _pump,
    }
    for part, judge in judges.items():
        if results.get(part):
            yield from judge(results[part])


def ratio(ours: list[Results], other: list[Results], name: str) -> Figure:
    """Return our figure over the other's, paired by repetition."""
    return figure(one[name] / two[name] for one, two in zip(ours, other, strict=False))


def _most(goal: str, found: Figure, limit: float) -> Verdict:
    return Verdict(goal, f"<= {limit:g}x", f"{found:.2f}x", found.median <= limit)


def _least(goal: str, found: Figure, limit: float) -> Verdict:
    return Verdict(goal, f">= {limit:g}x", f"{found:.2f}x", found.median >= limit)


def _latency(latency: Results) -> Iterator[Verdict]:
    if usual := latency.get(USUAL.name):
        for name, limit in (("p50_ms", 1.25), ("p99_ms", 1.5)):
            found = ratio(usual["ours"], usual["floor"], name)
            yield _most(f"wire -> alert at {USUAL.name}, {name[:3]} to the floor's", found, limit)


def _duel(duel: Results) -> Iterator[Verdict]:
    for rival, title, limit in (("quix", "Quix Streams", 5.0), ("kafka_streams", "Kafka Streams", 1.5)):
        for shape, contestants in duel["shapes"].items():
            if rival in contestants:
                found = ratio(contestants["ours"], contestants[rival], "events_per_cpu_s")
                yield _least(f"orders per CPU-second to that of {title}, {shape} wallets", found, limit)


def _throughput(throughput: Results) -> Iterator[Verdict]:
    runs = throughput["skewed"]
    found = figure(run["worker"]["events_per_cpu_s"] / run["raw"]["events_per_cpu_s"] for run in runs)
    yield _least("complete job per CPU-second to reading and decoding only, skewed wallets", found, 0.5)
    mean = figure(run["state"]["mean_bytes"] for run in runs)
    yield Verdict("state of a typical wallet, bytes", "<= 2048", f"{mean:,.0f}", mean.median <= 2_048)


def _scale(scale: Results) -> Iterator[Verdict]:
    for unit in ("wallets", "windows"):
        rows: dict[str, list[Results]] = scale[unit]
        costs = {row: figure(run["us_per_order"] for run in runs) for row, runs in rows.items()}
        first, *_, last = costs
        worst = max(cost.median for cost in costs.values()) / min(cost.median for cost in costs.values())
        goal = f"cost of an order from {first} to {last} {unit}, most to least"
        yield Verdict(goal, "<= 1.2x", f"{worst:.2f}x", worst <= 1.2)


def _recovery(recovery: Results) -> Iterator[Verdict]:
    for wallets, runs in recovery.items():
        found = figure(run["restore_s"] / run["raw_s"] for run in runs)
        if int(wallets) <= 100_000:
            yield _most(f"recovery of {int(wallets):,} wallets to the bare read", found, 3.0)
        longest = figure(run["longest_answer_s"] for run in runs)
        yield Verdict(
            f"longest wait for /livez while {int(wallets):,} wallets are restored, s",
            f"< {_HEARTBEAT_S:g}",
            f"{longest:.2f}",
            longest.most < _HEARTBEAT_S,
        )


def _pump(pump: Results) -> Iterator[Verdict]:
    for load, systems in pump.items():
        cost = ratio(systems["floor"], systems["ours"], "cpu_us_per_event")
        yield _least(f"connector per CPU-second to a bare pump, {load}", cost, 0.6)
        if load == USUAL.name:
            found = ratio(systems["ours"], systems["floor"], "p99_ms")
            yield _most(f"wire -> acknowledged at {load}, p99 to the floor's", found, 1.5)
