"""The catalogue of the notifier's metrics."""

from __future__ import annotations

from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.notify.metrics import Metrics

NAMES = {
    "walletstream_notify_alerts": "counter",
    "walletstream_notify_notifications": "counter",
    "walletstream_notify_send_seconds": "histogram",
    "walletstream_notify_pending_alerts": "gauge",
    "walletstream_notify_lag_records": "gauge",
    "walletstream_notify_groups": "gauge",
    "walletstream_notify_build_info": "gauge",
}
"""What dashboards and alerts rely on; the exposition adds `_total` to counters."""


def test_the_names_are_those_that_dashboards_know() -> None:
    """And every series exists from the start, so that rates are never missing."""
    metrics = Metrics(["desk"])
    metrics.before_scrapes(lambda: metrics.groups.set(7))
    families = list(text_string_to_metric_families(generate_latest(metrics.registry).decode()))
    assert {family.name: family.type for family in families} == NAMES
    samples = {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}
    for outcome in ("queued", "silenced", "unrouted", "unwanted", "repeated", "dead"):
        assert samples["walletstream_notify_alerts_total", outcome] == 0
    for outcome in ("sent", "retried", "dead"):
        assert samples["walletstream_notify_notifications_total", outcome, "desk"] == 0
    assert samples["walletstream_notify_groups",] == 7
