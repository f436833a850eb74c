from __future__ import annotations

import asyncio
from typing import Any, get_args

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from connector.contract.record import DeadRecord
from streams.effects import Output
from streams.jobs import MarketJob, WalletJob
from streams.metrics import TOPICS, Metrics, Topic
from streams.records import Alert
from streams.shards.meter import Meter

NAMES = {
    "orders_total": ("topic",),
    "duplicates_total": ("topic",),
    "dead_letters_total": ("reason",),
    "alerts_total": ("rule", "mode", "state"),
    "rules": ("mode",),
    "rule_evaluations_total": (),
    "rule_errors_total": ("rule",),
    "wire_to_alert_seconds": ("topic",),
    "stage_seconds": ("stage",),
    "statistics_total": ("topic",),
    "batch_orders": (),
    "lag_records": ("topic", "partition"),
    "remembered_offset": ("topic", "partition"),
    "remember_age_seconds": ("topic", "partition"),
    "remember_seconds": (),
    "remember_records": (),
    "shards": ("topic", "state"),
    "restore_seconds": (),
    "rebalances_total": (),
    "shard_failures_total": ("reason",),
    "state_bytes": ("topic",),
    "subjects": ("topic",),
    "build_info": ("version",),
}
"""What dashboards, alert rules and the documentation rely on: a name that is changed here is changed there."""


def test_the_catalogue_is_what_others_rely_on() -> None:
    """Names and labels, each with a sentence of help."""
    metrics = Metrics()
    found = {}
    for collector in vars(metrics).values():
        if hasattr(collector, "_labelnames"):
            (family,) = collector.describe()
            name = family.name + ("_total" if family.type == "counter" else "")
            found[name.removeprefix("walletstream_streams_")] = collector._labelnames
            assert family.documentation.endswith((".", ";")), name
            assert name.startswith("walletstream_streams_")
    assert found == NAMES


def test_labels_of_topics_are_those_of_the_jobs() -> None:
    """A job whose label the catalogue does not know would be missing on every dashboard."""
    assert set(TOPICS) == set(get_args(Topic)) == {WalletJob.label, MarketJob.label}


def test_gauges_are_read_when_somebody_scrapes() -> None:
    """Before any of them is written out."""
    metrics = Metrics()
    metrics.before_scrapes(lambda: metrics.subjects.labels("orders").set(7))
    assert 'walletstream_streams_subjects{topic="orders"} 7.0' in generate_latest(metrics.registry).decode()


def samples(metrics: Metrics) -> dict[str, float]:
    """Return what a scraper would have of what is not zero, by name and labels."""
    return {
        f"{sample.name.removeprefix('walletstream_streams_')} {' '.join(sample.labels.values())}".strip(): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
        if sample.value and not sample.name.endswith(("_bucket", "_sum", "_info"))
    }


def alert(**changes: Any) -> Alert:
    """Return an alert of which only what is counted is right."""
    fields: dict[str, Any] = dict.fromkeys(Alert.__struct_fields__) | {
        "rule": "whale",
        "mode": "ACTIVE",
        "transition": "firing",
    }
    return Alert(**fields | changes)


async def acknowledged(meter: Meter, output: Output, *, error: Exception | None = None) -> None:
    """Hand over an output and let Kafka answer."""
    sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    meter.urgent(output, sent)
    if error is None:
        sent.set_result(None)
    else:
        sent.set_exception(error)
    await asyncio.sleep(0)


async def test_an_alert_counts_when_it_is_acknowledged() -> None:
    """With the way from the wire, where an order tipped it; what fails or says nothing to count does not count."""
    metrics = Metrics()
    meter = Meter(metrics, "orders")
    await acknowledged(meter, Output("alerts.v1", b"", b"", [("received_ns", b"1")], alert()))
    await acknowledged(meter, Output("alerts.v1", b"", b"", [], alert(mode="SHADOW", transition="resolved")))
    await acknowledged(meter, Output("alerts.v1", b"", b"", [], alert(rule="lost")), error=OSError())
    await acknowledged(meter, Output("alert-grades.v1", b"", b"", []))
    assert samples(metrics) == {
        "alerts_total active whale firing": 1,
        "alerts_total shadow whale resolved": 1,
        "stage_seconds_count publish": 2,
        "wire_to_alert_seconds_count orders": 1,
    }


async def test_a_dead_letter_counts_by_its_reason() -> None:
    """It is no alert, and has no way from the wire."""
    metrics = Metrics()
    letter = DeadRecord(reason="bad-record", detail="", raw="", origin="", received_ns=1)
    await acknowledged(Meter(metrics, "orders"), Output("orders-dead.v1", None, b"", [], letter))
    assert samples(metrics) == {"dead_letters_total bad-record": 1}


@pytest.mark.parametrize("late_s", [3.0, -5.0])
def test_a_batch_is_counted_once(late_s: float) -> None:
    """A broker whose clock is ahead makes no negative latency."""
    metrics = Metrics()
    taken_ns = 1_700_000_000_000_000_000
    Meter(metrics, "orders").folded(3, oldest_ms=round(taken_ns / 1e6 - late_s * 1e3), taken_ns=taken_ns)
    found = {
        sample.name: sample.value
        for family in metrics.stage.collect()
        for sample in family.samples
        if sample.labels.get("stage") == "log"
    }
    assert found["walletstream_streams_stage_seconds_sum"] == pytest.approx(max(late_s, 0.0), abs=0.01)
    assert samples(metrics)["orders_total orders"] == 3
    assert samples(metrics)["batch_orders_count"] == 1
