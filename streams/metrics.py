"""
The catalogue of a worker's metrics: what each one is called, counts and is labelled by.

This is their documentation. Names, base units and suffixes are Prometheus'. Label sets are bounded: `topic` is one of
`TOPICS`, `partition` one of ours, `rule` a rule that has ever been in force since the start. Counters and histograms
are moved where the work is done; gauges are read when somebody scrapes, see `streams.gauges`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from connector.process.catalogue import BeforeScrape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Topic = Literal["orders", "orders-by-market"]
"""What a shard reads: the orders by wallet, or again by market; names are those of the contract, without version."""

TOPICS: Final[tuple[Topic, ...]] = ("orders", "orders-by-market")

_BY_TOPIC: Final = ("topic",)
_BY_SHARD: Final = ("topic", "partition")

LATENCY_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""From a millisecond, which is the floor, to the minutes of catching up."""
DURATION_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
BATCH: Final = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000)
"""Of orders or records."""


class Metrics:
    """All metrics of a worker, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a time of creation for each series doubles them and tells nothing
        self.registry = CollectorRegistry()
        self._before = BeforeScrape()
        self.registry.register(self._before)  # first, and a registry collects in that order

        # -- work ----------------------------------------------------------------------------------------

        self.orders = self._counter("orders_total", "Records folded, bad and repeated ones included.", _BY_TOPIC)
        self.duplicates = self._counter(
            "duplicates_total", "Orders that the topic held before, left out of everything.", _BY_TOPIC
        )
        self.dead_letters = self._counter("dead_letters_total", "Records that could not be read.", ("reason",))
        self.batch_orders = self._histogram("batch_orders", "Records per take from the mailbox.", (), BATCH)
        self.statistics = self._counter(
            "statistics_total", "Records of statistics that Kafka has acknowledged.", _BY_TOPIC
        )

        # -- rules and alerts. Label mode: active, shadow, paused; state: firing, escalated, resolved -----

        self.alerts = self._counter(
            "alerts_total",
            "Alert records that Kafka has acknowledged; after a crash some are told again, with the same ids.",
            ("rule", "mode", "state"),
        )
        self.rules = self._gauge("rules", "Rules of the newest edition, the file's and the topic's.", ("mode",))
        self.rule_evaluations = self._counter(
            "rule_evaluations_total", "Rules asked at an order; those that do not concern it are not."
        )
        self.rule_errors = self._counter(
            "rule_errors_total", "Evaluations without a value; 100 in a partition park the rule there.", ("rule",)
        )

        # -- latency. Seconds between clocks of different machines are as good as those clocks -------------

        self.wire_to_alert = self._histogram(
            "wire_to_alert_seconds",
            "From the connector's socket to the acknowledged alert, of each alert that an order tipped.",
            _BY_TOPIC,
            LATENCY_S,
        )
        self.stage = self._histogram(
            "stage_seconds",
            "log: appended to taken, of the oldest record of each batch; fold: taken to all of the batch folded;"
            " publish: folded to acknowledged, of each alert.",
            ("stage",),
            LATENCY_S,
        )

        # -- progress: per shard, and only of shards that are restored -------------------------------------

        self.lag = self._gauge(
            "lag_records", "Records not folded yet, as of the last time Kafka told the partition's end.", _BY_SHARD
        )
        self.remembered_offset = self._gauge(
            "remembered_offset", "Last source offset whose effects are remembered; -1 before the first.", _BY_SHARD
        )
        self.remember_age = self._gauge(
            "remember_age_seconds",
            "Since all that was folded was last known to be remembered; a crash repeats so much.",
            _BY_SHARD,
        )
        self.remember_seconds = self._histogram(
            "remember_seconds", "Duration of one transaction of state and position.", (), DURATION_S
        )
        self.remember_records = self._histogram(
            "remember_records", "Records of one transaction, the position included.", (), BATCH
        )

        # -- shards. Label state: restoring, working; reason: fenced, kafka, defect -------------------------

        self.shards = self._gauge("shards", "Assigned partitions of the sources.", ("topic", "state"))
        self.restore_seconds = self._histogram("restore_seconds", "Reading the state of a shard back.", (), DURATION_S)
        self.rebalances = self._counter("rebalances_total", "Assignments received from the group.")
        self.shard_failures = self._counter(
            "shard_failures_total",
            "Shards discarded and taken over again: fenced by another worker, or after an error of Kafka."
            " A defect ends the worker.",
            ("reason",),
        )
        self.state_bytes = self._gauge(
            "state_bytes", "Remembered state of the worker's shards, encoded; in memory it is larger.", _BY_TOPIC
        )
        self.subjects = self._gauge("subjects", "Wallets (orders) or markets (orders-by-market) in state.", _BY_TOPIC)

        # -- the process ------------------------------------------------------------------------------------

        self.build_info = self._gauge("build_info", "Always 1; the version is in the label.", ("version",))

        self.build_info.labels(version("walletstream")).set(1)
        for topic in TOPICS:  # series that exist from the start can be added up, and their rates are never missing
            for metric in (self.orders, self.duplicates, self.statistics, self.wire_to_alert):
                metric.labels(topic)
        for stage in ("log", "fold", "publish"):
            self.stage.labels(stage)
        for reason in ("fenced", "kafka", "defect"):
            self.shard_failures.labels(reason)
        self.dead_letters.labels("bad-record")

    def before_scrapes(self, refresh: Callable[[], None]) -> None:
        """Have the gauges brought up to date by `refresh` at the beginning of each scrape."""
        self._before.calls.append(refresh)

    def _counter(self, name: str, doc: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(_PREFIX + name, doc, labels, registry=self.registry)

    def _gauge(self, name: str, doc: str, labels: Iterable[str] = ()) -> Gauge:
        return Gauge(_PREFIX + name, doc, labels, registry=self.registry)

    def _histogram(self, name: str, doc: str, labels: Iterable[str], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(_PREFIX + name, doc, labels, registry=self.registry, buckets=buckets)


_PREFIX: Final = "walletstream_streams_"
