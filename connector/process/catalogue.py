"""What a catalogue of metrics is written with. Shell."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from connector.process.tally import Counts, Distributions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from prometheus_client import Metric

M = TypeVar("M", Counter, Gauge, Histogram, Counts, Distributions)


class Make:
    """
    Makes metrics on a registry, with a child for each value that their labels are known to take.

    A label is given as its name and these values, which may be none yet. What every order touches is of our own make
    (`counts`, `distributions`), which is cheaper and told in the same form.
    """

    def __init__(self, namespace: str, registry: CollectorRegistry) -> None:
        self._namespace = namespace
        self._registry = registry

    def counts(self, name: str, text: str, **labels: Iterable[str]) -> Counts:
        """Return a counter for what happens all the time."""
        return _with_children(Counts(f"{self._namespace}_{name}", text, list(labels), registry=self._registry), labels)

    def distributions(self, name: str, text: str, bounds: Sequence[float], **labels: Iterable[str]) -> Distributions:
        """Return a histogram for what happens all the time."""
        made = Distributions(f"{self._namespace}_{name}", text, bounds, list(labels), registry=self._registry)
        return _with_children(made, labels)

    def counter(self, name: str, text: str, **labels: Iterable[str]) -> Counter:
        """Return a counter."""
        return _with_children(Counter(name, text, labels, namespace=self._namespace, registry=self._registry), labels)

    def gauge(self, name: str, text: str, **labels: Iterable[str]) -> Gauge:
        """Return a gauge."""
        return _with_children(Gauge(name, text, labels, namespace=self._namespace, registry=self._registry), labels)

    def histogram(self, name: str, text: str, buckets: Sequence[float], **labels: Iterable[str]) -> Histogram:
        """Return a histogram."""
        made = Histogram(name, text, labels, namespace=self._namespace, registry=self._registry, buckets=buckets)
        return _with_children(made, labels)

    def info(self, name: str, text: str) -> Info:
        """Return a metric that is 1, for its labels."""
        return Info(name, text, namespace=self._namespace, registry=self._registry)


def _with_children(metric: M, labels: Mapping[str, Iterable[str]]) -> M:
    """Have what never happened told as 0, so that the first time is seen as an increase."""
    for values in product(*labels.values()) if labels else ():
        metric.labels(*values)
    return metric


class BeforeScrape:
    """A collector without metrics: registered first, it sets gauges from state that is there before they are read."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def describe(self) -> Iterable[Metric]:
        """Return no metrics."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Run the calls."""
        for call in self.calls:
            call()
        return ()
