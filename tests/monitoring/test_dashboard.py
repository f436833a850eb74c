"""The dashboard's form: derived from its modules, within Grafana's schema, and explained panel by panel."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from k8s.monitoring.generate.derived import DERIVED
from tests.support import monitoring

PANELS = {panel["title"]: panel for panel in monitoring.panels()}
WIDTH = 24
RUNBOOKS = re.compile(r"[Rr]unbooks? ([a-z*-]+(?:, [a-z*-]+)*)")


@pytest.mark.parametrize("name", DERIVED)
def test_what_is_derived_is_as_it_would_be_made_now(name: str) -> None:
    """Whoever changes rules or panels makes the derived files again, and nobody changes those alone."""
    committed = (monitoring.FOLDER / name).read_text("utf-8")
    assert committed == DERIVED[name](), "run `python -m k8s.monitoring.generate`"


def test_the_operator_gets_the_rules_of_the_one_source() -> None:
    """The PrometheusRule is the rules and nothing else."""
    resource = yaml.safe_load((monitoring.FOLDER / "prometheusrule.yaml").read_text("utf-8"))
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["spec"] == {"groups": monitoring.groups()}


def test_grafana_knows_everything_in_it() -> None:
    """Read into the types of Grafana's schema and written again it is the same: nothing was unknown or dropped."""
    register_default_plugins()
    again = json.loads(json.dumps(Dashboard.from_json(monitoring.dashboard()), cls=JSONEncoder))
    for variable in again["templating"]["list"]:
        for default in ("auto", "auto_min", "auto_count"):
            del variable[default]  # of another kind of variable; the library adds them to all
    assert again == monitoring.dashboard()


def test_titles_are_unique() -> None:
    """A panel is found, linked and talked about by its title."""
    assert len(PANELS) == len(monitoring.panels())


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_explains_itself(title: str) -> None:
    """Title, what it means, unit, and a legend for each line."""
    panel = PANELS[title]
    assert len(panel["description"]) >= len("Pages that are connected now.")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert all(target["legendFormat"] for target in panel["targets"])
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["showLegend"]


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_shows_what_was_chosen(title: str) -> None:
    """Every metric of ours is asked of the chosen data source, namespaces and instances."""
    panel = PANELS[title]
    for each in (panel, *panel["targets"]):
        assert each["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for target in panel["targets"]:
        expr = target["expr"]
        assert expr.count('namespace=~"$namespace", instance=~"$instance"') >= len(monitoring.metrics_of(expr))


def test_panels_fill_the_grid_without_overlapping() -> None:
    """Nobody has to rearrange what was imported."""
    taken: set[tuple[int, int]] = set()
    for panel in monitoring.dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    assert max(x for x, _ in taken) < WIDTH


def test_the_first_rows_answer_what_everybody_asks() -> None:
    """Are orders complete, and how fast are they: before anything else."""
    rows = [panel["title"] for panel in monitoring.dashboard()["panels"] if panel["type"] == "row"]
    assert rows[:2] == ["Are orders complete?", "How fast are they?"]


def test_what_a_panel_calls_a_runbook_is_one() -> None:
    """Descriptions point to sections of the runbook by their names."""
    anchors = {alert["annotations"]["runbook_url"].partition("#runbook-")[2] for alert in monitoring.alerts().values()}
    for panel in PANELS.values():
        for names in RUNBOOKS.findall(panel["description"]):
            assert {name for name in names.split(", ") if name != "wallets-*"} <= anchors, panel["title"]
