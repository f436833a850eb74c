"""
The catalogue of the notifier's metrics: what each one is called, counts and is labelled by.

This is their documentation. Names, base units and suffixes are Prometheus'. Label sets are bounded: `receiver` is one
of the configuration's. Counters and histograms are moved where the work is done; gauges are read at each scrape.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from connector.process.catalogue import BeforeScrape
from streams.notify.groups import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SEND_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """All metrics of a notifier, in a registry of their own."""

    def __init__(self, receivers: Iterable[str] = ()) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a time of creation doubles the series and tells nothing
        self.registry = CollectorRegistry()
        self._before = BeforeScrape()
        self.registry.register(self._before)  # first, and a registry collects in that order

        # -- work. Label outcome of alerts: queued (to be told to somebody), silenced (`rules silence`), unrouted
        # (its receiver has no address), unwanted (it is over, and nobody asked to be told that), repeated (its
        # alert_id was read before), dead (it was in a notification nobody took, or was no alert at all) -----------

        self.alerts = Counter(
            "walletstream_notify_alerts_total",
            "Alerts read from alerts.v1; those of dead notifications are counted as queued first, then as dead.",
            ("outcome",),
            registry=self.registry,
        )
        # Label outcome of notifications: sent, retried (an attempt failed that is made again), dead -----------------
        self.notifications = Counter(
            "walletstream_notify_notifications_total",
            "Notifications by what became of them; retried counts attempts.",
            ("receiver", "outcome"),
            registry=self.registry,
        )
        self.send_seconds = Histogram(
            "walletstream_notify_send_seconds",
            "Duration of an attempt, whatever its outcome.",
            ("receiver",),
            registry=self.registry,
            buckets=SEND_S,
        )

        # -- progress --------------------------------------------------------------------------------------------------

        self.pending_alerts = Gauge(
            "walletstream_notify_pending_alerts",
            "Alerts that are read and not told yet, for they are grouped and held back, or their receiver is away;"
            " once for each address.",
            registry=self.registry,
        )
        self.lag_records = Gauge(
            "walletstream_notify_lag_records", "Alerts on the topic that are not read yet.", registry=self.registry
        )
        self.groups = Gauge("walletstream_notify_groups", "Groups that are remembered.", registry=self.registry)
        self.build_info = Gauge(
            "walletstream_notify_build_info",
            "Always 1; the version is in the label.",
            ("version",),
            registry=self.registry,
        )

        self.build_info.labels(version("walletstream")).set(1)
        for outcome in (*get_args(Outcome), "dead"):  # rates of series that exist from the start are never missing
            self.alerts.labels(outcome)
        for receiver in receivers:
            self.send_seconds.labels(receiver)
            for outcome in ("sent", "retried", "dead"):
                self.notifications.labels(receiver, outcome)

    def before_scrapes(self, refresh: Callable[[], None]) -> None:
        """Have the gauges brought up to date by `refresh` at the beginning of each scrape."""
        self._before.calls.append(refresh)
