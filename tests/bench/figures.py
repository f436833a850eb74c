"""Figures of several repetitions: medians, spread, ratios. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Figure(NamedTuple):
    """One quantity over all repetitions."""

    median: float
    least: float
    most: float

    def __truediv__(self, other: Figure) -> float:
        """Return the ratio of the medians; NaN over nothing."""
        return self.median / other.median if other.median else float("nan")

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} ({self.least:{spec}} - {self.most:{spec}})"


def figure(values: Iterable[float]) -> Figure:
    """Return the median and the extremes of what the repetitions measured."""
    found = sorted(values)
    return Figure(median(found), found[0], found[-1])


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the nearest-rank percentile; NaN of nothing."""
    found = sorted(values)
    if not found:
        return float("nan")
    rank = max(1, -(-len(found) * percent // 100))
    return found[int(rank) - 1]
