"""
Draws what `python -m tests.bench --out results.json` found: `python -m tests.bench.plots results.json FOLDER`.

Needs matplotlib, which lies beside Quix Streams in `.venv-rivals`. One SVG for latencies, one for throughput.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

_PERCENTILES = ("p50_ms", "p99_ms", "p99_9_ms")
_WIDTH = 0.4


def _latency(axes: Axes, latency: dict[str, Any]) -> None:
    """Draw the percentiles of both systems at every load, on a logarithmic axis."""
    labels = [f"{load}\n{name.removesuffix('_ms').replace('_', '.')}" for load in latency for name in _PERCENTILES]
    for place, system in enumerate(("floor", "ours")):
        heights = [median(run[name] for run in loads[system]) for loads in latency.values() for name in _PERCENTILES]
        axes.bar([number + place * _WIDTH for number in range(len(heights))], heights, _WIDTH, label=system)
    axes.set_xticks([number + _WIDTH / 2 for number in range(len(labels))], labels, fontsize=7)
    axes.set(yscale="log", ylabel="ms", title="wire -> alert")
    axes.legend()


def _duel(axes: Axes, duel: dict[str, Any]) -> None:
    """Draw what each contestant does per CPU-second, a group for each shape of the market."""
    shapes = duel["shapes"]
    names = [name for name in next(iter(shapes.values())) if name != "raw"]
    for place, name in enumerate(names):
        heights = [median(run["events_per_cpu_s"] for run in contestants[name]) for contestants in shapes.values()]
        width = 0.8 / len(names)
        axes.bar([number + place * width for number in range(len(heights))], heights, width, label=name)
    axes.set_xticks([number + 0.4 - 0.4 / len(names) for number in range(len(shapes))], list(shapes))
    axes.set(ylabel="orders per CPU-second", title="the wallet half")
    axes.legend()


def draw(results: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Write a plot of each part that there is; yield the paths."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - not among the dependencies of the tests

    folder.mkdir(parents=True, exist_ok=True)
    for part, drawn in (("latency", _latency), ("duel", _duel)):
        if results.get(part):
            figure = Figure(figsize=(10, 5), layout="constrained")
            drawn(figure.subplots(), results[part])
            path = folder / f"{part}.svg"
            figure.savefig(path)
            yield path


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.plots", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, help="JSON")
    parser.add_argument("folder", type=Path, help="for the plots")
    given = parser.parse_args()
    for path in draw(json.loads(given.results.read_text()), given.folder):
        print(path)  # noqa: T201 - what there is to look at


if __name__ == "__main__":
    main()
