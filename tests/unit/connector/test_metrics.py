from __future__ import annotations

from typing import NamedTuple

import pytest
from prometheus_client import Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from connector.metrics import NAMESPACE, Metrics
from connector.process.tally import Counts, Distributions

PROMISED = {
    "orders_total": ["source"],
    "duplicates_total": ["source"],
    "foreign_orders_total": [],
    "dead_letters_total": ["reason"],
    "frames_total": ["socket"],
    "wire_to_kafka_seconds": ["source"],
    "stage_seconds": ["stage"],
    "provider_delay_seconds": [],
    "unacknowledged_records": [],
    "queue_limit_records": [],
    "wallets": ["state"],
    "partitions": [],
    "subscriptions": ["socket"],
    "connected": ["socket"],
    "connections_total": ["socket"],
    "connect_failures_total": ["socket"],
    "disconnects_total": ["socket", "cause"],
    "gaps_open": [],
    "gap_oldest_age_seconds": [],
    "gaps_total": ["cause"],
    "gaps_closed_total": ["outcome"],
    "recovered_orders_total": [],
    "coverage_lag_seconds": [],
    "rest_requests_total": ["outcome"],
    "rest_wait_seconds": [],
    "lease_held": [],
    "handovers_total": [],
    "clock_offset_seconds": [],
    "audit_orders_total": ["result"],
    "audits_total": ["outcome"],
    "audit_age_seconds": [],
    "build_info": ["version"],
}
"""What dashboards and alert rules are written against: renaming one of these breaks them."""
UNITS = ("_total", "_seconds", "_records", "_info")
PLAIN = {"wallets", "partitions", "subscriptions", "connected", "gaps_open", "lease_held"}
"""Gauges that count things, or are 0 or 1."""
Kind = Counter | Gauge | Histogram | Counts | Distributions


class Told(NamedTuple):
    """What scrapers and people are told of a metric."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]


def _told(metric: Kind) -> Told:
    (family,) = metric.describe()
    name = family.name.removeprefix(f"{NAMESPACE}_") + ("_total" if family.type == "counter" else "")
    labels = metric.label_names if isinstance(metric, Counts | Distributions) else metric._labelnames
    return Told(name, family.type, family.documentation, labels)


METRICS = [
    _told(metric)
    for group in vars(Metrics()).values()
    for metric in getattr(group, "__dict__", {}).values()
    if isinstance(metric, Kind)
]


def test_the_catalogue_is_what_was_promised() -> None:
    """Every metric with its labels, and none besides."""
    catalogue = {metric.name: list(metric.labels) for metric in METRICS}
    assert catalogue | {"build_info": ["version"]} == PROMISED


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_help_and_labels_are_as_prometheus_wants_them(metric: Told) -> None:
    """Base units in the name, a sentence of help, and no label whose values others choose."""
    assert metric.name.endswith(UNITS) or metric.name in PLAIN
    assert metric.help.endswith(".")
    assert len(metric.help) > 20
    assert set(metric.labels) <= {"source", "reason", "socket", "stage", "state", "cause", "outcome", "result"}
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    for label in metric.labels:
        assert label in metric.help or label in ("socket", "reason"), "the help says which values there are"


def test_gauges_are_read_when_somebody_scrapes() -> None:
    """State that is there anyway costs nothing until then, and is as it is at that moment."""
    metrics = Metrics()
    asked: list[int] = []

    def refresh() -> None:
        asked.append(len(asked))
        metrics.group.partitions.set(len(asked))

    metrics.before_scrape(refresh)
    assert not asked
    for scrape in (1, 2):
        families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
        samples = {sample.name: sample.value for family in families for sample in family.samples}
        assert samples[f"{NAMESPACE}_partitions"] == scrape
