"""What a panel is, in our words, and what all panels have in common: one place for both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models import common as enums
from grafana_foundation_sdk.models.dashboard import DataSourceRef, FieldColorModeId, Threshold, ThresholdsMode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
SELECTED: Final = 'namespace=~"$namespace", instance=~"$instance"'
"""What every query asks for beside its own labels; a label that is not there matches `.*` too."""

_OURS = re.compile(r"\b(walletstream_\w+|process_\w+|up)\b(?:\{([^}]*)\})?")
_STAT_HEIGHT = 4
_GRAPH_HEIGHT = 8
_GREEN, _YELLOW, _RED, _TEXT = "green", "yellow", "red", "text"

Unit = Literal[
    "s", "short", "percentunit", "bytes", "suffix: /s", "suffix: orders/s", "suffix: alerts/s", "dateTimeAsIso"
]


class Limits(NamedTuple):
    """Where a figure is no longer good, and where it is bad."""

    warn: float
    bad: float
    low_is_bad: bool = False


class Number(NamedTuple):
    """One figure for right now, or for the time shown."""

    title: str
    description: str
    """What it means, and what to do when it is bad."""
    unit: Unit
    expr: str
    limits: Limits | None = None
    width: int = 4
    decimals: int | None = None

    @property
    def queries(self) -> Mapping[str, str]:
        """Queries by legend."""
        return {self.title: self.expr}

    def build(self) -> stat.Panel:
        """Return Grafana's panel."""
        panel = (
            stat.Panel()
            .title(self.title)
            .description(self.description)
            .datasource(DATASOURCE)
            .unit(self.unit)
            .span(self.width)
            .height(_STAT_HEIGHT)
            .no_value("nothing yet")
            .color_mode(enums.BigValueColorMode.BACKGROUND if self.limits else enums.BigValueColorMode.VALUE)
            .graph_mode(enums.BigValueGraphMode.AREA)
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
            .thresholds(_thresholds(self.limits))
            .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
            .with_target(_target("A", self.title, self.expr))
        )
        return panel if self.decimals is None else panel.decimals(self.decimals)


class Graph(NamedTuple):
    """Figures over time."""

    title: str
    description: str
    """What it means, and what to do when it is bad."""
    unit: Unit
    queries: Mapping[str, str]
    """Queries by legend."""
    limits: Limits | None = None
    """Drawn as lines."""
    width: int = 8
    stacked: bool = False

    def build(self) -> timeseries.Panel:
        """Return Grafana's panel."""
        panel = (
            timeseries.Panel()
            .title(self.title)
            .description(self.description)
            .datasource(DATASOURCE)
            .unit(self.unit)
            .span(self.width)
            .height(_GRAPH_HEIGHT)
            .min(0)
            .line_width(1)
            .fill_opacity(30 if self.stacked else 5)
            .show_points(enums.VisibilityMode.NEVER)
            .legend(_legend())
            .tooltip(common.VizTooltipOptions().mode(enums.TooltipDisplayMode.MULTI).sort(enums.SortOrder.DESCENDING))
            .thresholds(_thresholds(self.limits))
            .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        )
        if self.limits is not None:
            style = common.GraphThresholdsStyleConfig().mode(enums.GraphThresholdsStyleMode.DASHED)
            panel.thresholds_style(style)
        if self.stacked:
            panel.stacking(common.StackingConfig().mode(enums.StackingMode.NORMAL))
        for number, (legend, expr) in enumerate(self.queries.items()):
            panel.with_target(_target(chr(ord("A") + number), legend, expr))
        return panel


class Row(NamedTuple):
    """Panels under one heading."""

    title: str
    panels: Sequence[Number | Graph]


def selected(expr: str) -> str:
    """Return a query whose every metric is of the chosen namespaces and instances only."""
    return _OURS.sub(lambda found: f"{found[1]}{{{', '.join(filter(None, (found[2], SELECTED)))}}}", expr)


def quantile(q: float, name: str, *, by: str = "") -> str:
    """Return the query of a histogram's quantile, for each value of a label."""
    groups = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, sum by ({groups}) (rate({name}_bucket[$__rate_interval])))"


def quantiles(name: str, *, by: str = "") -> dict[str, str]:
    """Return the queries of a histogram's median and 99th percentile, by legend, for each value of a label."""
    of = f"{{{{{by}}}}} " if by else ""
    return {f"{of}p50": quantile(0.5, name, by=by), f"{of}p99": quantile(0.99, name, by=by)}


def _target(ref: str, legend: str, expr: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().ref_id(ref).datasource(DATASOURCE).expr(selected(expr)).legend_format(legend)
    return query.range()


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(show_legend=True).display_mode(enums.LegendDisplayMode.TABLE)
    return legend.placement(enums.LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"])


def _thresholds(limits: Limits | None) -> ThresholdsConfig:
    steps = [Threshold(value=None, color=_TEXT)]
    if limits is not None:
        colors = (_RED, _YELLOW, _GREEN) if limits.low_is_bad else (_GREEN, _YELLOW, _RED)
        bounds = (None, limits.bad, limits.warn) if limits.low_is_bad else (None, limits.warn, limits.bad)
        steps = [Threshold(value=bound, color=color) for bound, color in zip(bounds, colors, strict=True)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
