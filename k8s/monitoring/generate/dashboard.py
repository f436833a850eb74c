"""The dashboard: its rows in their order, and how one chooses what it shows."""

from __future__ import annotations

import json
from typing import Final

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from k8s.monitoring.generate.figures import DATASOURCE, Row
from k8s.monitoring.generate.rows_connector import CONNECTOR, SOCKETS
from k8s.monitoring.generate.rows_delivery import DELIVERY, PROCESSES
from k8s.monitoring.generate.rows_overview import OVERVIEW, THROUGHPUT
from k8s.monitoring.generate.rows_speed import SPEED
from k8s.monitoring.generate.rows_streams import RULES, STREAMS

ROWS: Final[tuple[Row, ...]] = (
    *(OVERVIEW, SPEED, THROUGHPUT),
    *(CONNECTOR, SOCKETS),
    *(STREAMS, RULES),
    *(DELIVERY, PROCESSES),
)

_JOBS = 'up{job=~"walletstream-.+"}'


def dashboard() -> str:
    """Return the dashboard as Grafana imports it."""
    board = (
        grafana.Dashboard("walletstream")
        .uid("walletstream")
        .description(
            "Are the orders of the watched wallets complete, and how fast are they? Then, part by part, why not."
        )
        .tags(["walletstream"])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(grafana.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(_choice("namespace", "Namespace", f"label_values({_JOBS}, namespace)"))
        .with_variable(
            _choice("instance", "Instance", f'label_values({_JOBS[:-1]}, namespace=~"$namespace"}}, instance)')
        )
        .annotation(_alerts())
    )
    for row in ROWS:
        board.with_row(grafana.Row(row.title))
        for panel in row.panels:
            board.with_panel(panel.build())
    built = board.build()
    for number, each in enumerate(built.panels or (), start=1):
        each.id_val = number  # else Grafana numbers them anew at each import, and links to one break
    for variable in built.templating.list_val or ():
        variable.auto = variable.auto_min = variable.auto_count = None  # the library's defaults, of another kind
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _choice(name: str, label: str, query: str) -> grafana.QueryVariable:
    """Return a variable that is everything until somebody chooses; `.*` also matches what has no such label."""
    return (
        grafana.QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(DATASOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _alerts() -> grafana.AnnotationQuery:
    """Return what marks on every graph when one of our alerts fired."""
    return (
        grafana.AnnotationQuery()
        .name("Alerts")
        .datasource(DATASOURCE)
        .enable(enable=True)
        .hide(hide=False)
        .icon_color("red")
        .expr('max by (alertname) (ALERTS{alertname=~"Walletstream.+", alertstate="firing"})')
    )
