"""Alerts and dashboard read what processes tell, by the names and labels of their catalogues."""

from __future__ import annotations

import functools
import re

import pytest

from tests.support import monitoring

TARGET = {"job", "instance", "namespace"}
"""Labels that Prometheus and its discovery give to every series."""

PROCESS = {
    name: frozenset[str]()
    for name in (
        *("up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"),
        "process_open_fds",
    )
}
"""What Prometheus itself and the client library's collector of the process tell."""

EXPRESSIONS = {rule.get("alert") or rule["record"]: rule["expr"] for rule in monitoring.rules()} | {
    f"{query.panel}: {query.legend}": query.expr for query in monitoring.queries()
}

_SELECTOR = re.compile(r"\b(walletstream_\w+|process_\w+|up)\b\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')
_GROUPING = re.compile(r"\bby \(([^)]*)\)")


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_metrics_and_labels_exist(where: str) -> None:
    """A misspelt name is no error for Prometheus: the alert just never fires, the panel stays empty."""
    known = monitoring.known() | PROCESS
    expr = EXPRESSIONS[where]
    metrics = monitoring.metrics_of(expr)
    assert metrics <= known.keys()
    for metric, matchers in _SELECTOR.findall(expr):
        assert {label for label, *_ in _MATCHER.findall(matchers)} <= known[metric] | TARGET
    grouped = {label for found in _GROUPING.findall(expr) for label in found.split(", ")}
    if metrics:
        assert grouped <= TARGET.union(*(known[metric] for metric in metrics))


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_values_of_labels_exist(where: str) -> None:
    """Where a catalogue tells a label's values beforehand, only those are asked for."""
    values = told_values()
    for metric, matchers in _SELECTOR.findall(EXPRESSIONS[where]):
        for label, sign, value in _MATCHER.findall(matchers):
            if sign in {"=", "!="} and values.get((metric, label)):
                assert value in values[metric, label]


@functools.cache
def told_values() -> dict[tuple[str, str], set[str]]:
    """Return the values of labels that are told before anything happened, by metric and label."""
    found: dict[tuple[str, str], set[str]] = {}
    for catalogue in monitoring.CATALOGUES:
        for family in monitoring.registry(catalogue).collect():
            for sample in family.samples:
                for label, value in sample.labels.items():
                    found.setdefault((sample.name, label), set()).add(value)
    return found


@pytest.mark.parametrize("catalogue", monitoring.CATALOGUES)
def test_every_metric_of_a_catalogue_is_looked_at(catalogue: str) -> None:
    """What is worth counting is worth a panel or an alert."""
    read = {metric for expr in EXPRESSIONS.values() for metric in monitoring.metrics_of(expr)}
    families = {family.name for family in monitoring.registry(catalogue).collect()}
    assert not {name for name in families if not any(metric.startswith(name) for metric in read)}
