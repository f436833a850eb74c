"""
Counters and histograms for what happens a thousand times a second, in Prometheus' form. Shell.

prometheus_client locks for each number, which costs several times what is done here, and the five numbers of an order
add up. These have no locks: one thread counts and is scraped.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from math import inf
from typing import TYPE_CHECKING, Generic, TypeVar

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from prometheus_client import CollectorRegistry, Metric

T = TypeVar("T")


class Count:
    """How often something happened."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self, times: int = 1) -> None:
        """Count it once or several times more."""
        self.value += times


class Distribution:
    """
    How often values lay between bounds.

    Args:
        bounds: Upper ones, ascending.
    """

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """By bound, that bound included; the last one is of what lies beyond them all."""
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class _Family(Generic[T]):
    """One metric, with a child for each combination of labels."""

    def __init__(self, name: str, text: str, labels: Sequence[str], make: Callable[[], T]) -> None:
        self.name = name
        self.documentation = text
        self.label_names = tuple(labels)
        self._make = make
        self._children: dict[tuple[str, ...], T] = {}
        if not labels:
            self.labels()

    def labels(self, *values: str) -> T:
        """Return the child with these label values; look it up beforehand, not for every event."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._make()
        return child

    def describe(self) -> Iterable[Metric]:
        """Return what `collect` returns, for the registry to learn its names."""
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        """Return what was counted."""
        raise NotImplementedError


class Counts(_Family[Count]):
    """A counter; `name` ends in `_total`."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = (), *, registry: CollectorRegistry) -> None:
        super().__init__(name, text, labels, Count)
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return what was counted."""
        family = CounterMetricFamily(self.name, self.documentation, labels=self.label_names)
        for values, child in self._children.items():
            family.add_metric(values, child.value)
        yield family


class Distributions(_Family[Distribution]):
    """A histogram."""

    def __init__(
        self, name: str, text: str, bounds: Sequence[float], labels: Sequence[str] = (), *, registry: CollectorRegistry
    ) -> None:
        super().__init__(name, text, labels, lambda: Distribution(bounds))
        self._names = [floatToGoString(bound) for bound in (*bounds, inf)]  # type: ignore[no-untyped-call]
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return what was counted."""
        family = HistogramMetricFamily(self.name, self.documentation, labels=self.label_names)
        for values, child in self._children.items():
            family.add_metric(values, list(zip(self._names, accumulate(child.counts), strict=True)), child.total)
        yield family
