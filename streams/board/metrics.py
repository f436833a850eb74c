"""The board's metrics: this module is their documentation."""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge

_PREFIX = "walletstream_board"


class Metrics:
    """One board's metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.viewers = Gauge(f"{_PREFIX}_viewers", "Pages that are connected.", registry=registry)
        self.events = Counter(
            f"{_PREFIX}_events", "Records read, also those of the past at the start.", ["topic"], registry=registry
        )
        self.behind = Gauge(
            f"{_PREFIX}_lag_records", "Records between what was read and the topic's end.", ["topic"], registry=registry
        )
        self.reading = Gauge(
            f"{_PREFIX}_reading", "1: the topic's end is shown, 0: it is away or far.", ["topic"], registry=registry
        )
        self.snapshots = Counter(
            f"{_PREFIX}_snapshots", "Snapshots sent, to who came and to who was too slow.", registry=registry
        )
        self.unreadable = Counter(
            f"{_PREFIX}_unreadable_records", "Records that could not be read and were passed over.", registry=registry
        )
        build = Gauge(f"{_PREFIX}_build_info", "1, with the version that runs.", ["version"], registry=registry)
        build.labels(version("walletstream")).set(1)
