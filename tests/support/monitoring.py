"""What operators are given, `k8s/monitoring`, read for the tests."""

from __future__ import annotations

import functools
import importlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import CollectorRegistry

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "k8s" / "monitoring"

CATALOGUES: Final = ("connector.metrics", "streams.metrics", "streams.notify.metrics", "streams.board.metrics")
"""Modules, each with a `Metrics` whose `registry` holds all of a process."""

_METRIC = re.compile(r"\b(walletstream_\w+|process_\w+|up)\b")


class Query(NamedTuple):
    """One query of the dashboard."""

    panel: str
    legend: str
    expr: str


@functools.cache
def groups() -> list[dict[str, Any]]:
    """Return the groups of rules."""
    loaded: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"]
    return loaded


def rules() -> list[dict[str, Any]]:
    """Return alerts and recorded rules."""
    return [rule for group in groups() for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


@functools.cache
def alert_tests() -> dict[str, Any]:
    """Return what `promtool test rules` is given."""
    loaded: dict[str, Any] = yaml.safe_load((FOLDER / "alerts.test.yaml").read_text("utf-8"))
    return loaded


@functools.cache
def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    loaded: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    return loaded


def panels() -> list[dict[str, Any]]:
    """Return the dashboard's panels, without the headings of rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Query]:
    """Yield every query of every panel."""
    for panel in panels():
        for target in panel["targets"]:
            yield Query(panel["title"], target["legendFormat"], target["expr"])


def metrics_of(expr: str) -> set[str]:
    """Return the metrics that an expression reads, those of recorded rules left out."""
    return set(_METRIC.findall(expr))


def registry(catalogue: str) -> CollectorRegistry:
    """Return the registry of a catalogue, none of whose metrics has been touched."""
    made: CollectorRegistry = importlib.import_module(catalogue).Metrics().registry
    return made


@functools.cache
def known() -> dict[str, frozenset[str]]:
    """Return the labels of every series of the catalogues, by its name: `..._total`, `..._bucket` and so on."""
    labels = {}
    for catalogue in CATALOGUES:
        made = registry(catalogue)
        told = {sample.name: sample.labels.keys() for family in made.collect() for sample in family.samples}
        for name, collector in made._names_to_collectors.items():
            own = frozenset(getattr(collector, "_labelnames", ())).union(told.get(name, ()))
            labels[name] = own | {"le"} if name.endswith("_bucket") else own
    return labels
