"""The form of alerts and of their tests; what they do is proven by promtool, see `test_promtool.py`."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from typing import Any

import pytest

from tests.support import monitoring

ALERTS = monitoring.alerts()
SEVERITIES = {"critical", "warning", "info"}
RUNBOOKS = "k8s/README.md"


@functools.cache
def cases() -> dict[str, list[bool]]:
    """Return for each alert, of every look at it, whether it fires."""
    found = defaultdict(list)
    for test in monitoring.alert_tests()["tests"]:
        for look in test["alert_rule_test"]:
            found[look["alertname"]].append(bool(look["exp_alerts"]))
    return found


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do(name: str) -> None:
    """Whoever is woken at night finds severity, words, and the steps of its own section in the runbook."""
    alert = ALERTS[name]
    assert re.fullmatch(r"Walletstream[A-Z]\w+", name)
    assert "for" in alert
    assert alert["labels"]["severity"] in SEVERITIES
    assert alert["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert all(text.strip() == text != "" for text in alert["annotations"].values())
    assert alert["annotations"]["runbook_url"] == f"{RUNBOOKS}#{anchor(name)}"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_tested_firing_and_quiet(name: str) -> None:
    """An alert that never fires and one that always does are equally useless; promtool holds it to both."""
    looks = cases()[name]
    assert any(looks), "no test in alerts.test.yaml in which it fires"
    assert not all(looks), "no test in alerts.test.yaml in which it is quiet"


def test_a_working_day_is_looked_at_by_every_alert() -> None:
    """The last test is a system that is well, restarts and a disconnect included: nobody is called."""
    *_, day = monitoring.alert_tests()["tests"]
    looks = [(look["alertname"], bool(look["exp_alerts"])) for look in day["alert_rule_test"]]
    assert {name for name, _ in looks} == ALERTS.keys()
    assert not any(fires for _, fires in looks)


def test_no_test_is_of_an_alert_that_is_gone() -> None:
    """Promtool takes an unknown name for an alert that does not fire."""
    assert cases().keys() <= ALERTS.keys()


def test_promtool_evaluates_groups_in_our_order() -> None:
    """Else what is recorded is sometimes a minute older, and tests of it fail now and then."""
    names = [group["name"] for group in monitoring.groups()]
    assert monitoring.alert_tests()["group_eval_order"] == names


@pytest.mark.parametrize("name", ALERTS)
def test_the_runbook_has_a_section_for_each_alert(name: str) -> None:
    """A link that leads nowhere is worse than none."""
    assert anchor(name) in headings(), f"{RUNBOOKS} has no heading `Runbook: ...` with the anchor #{anchor(name)}"


def anchor(alert: str) -> str:
    """Return where an alert's steps are: WalletstreamSomeThing -> runbook-some-thing."""
    words = re.findall(r"[A-Z][a-z0-9]*", alert.removeprefix("Walletstream"))
    return "-".join(["runbook", *(word.lower() for word in words)])


def headings() -> set[str]:
    """Return the anchors of the README's headings, as GitHub makes them, and those that are set by hand."""
    text = (monitoring.ROOT / RUNBOOKS).read_text("utf-8")
    made = {re.sub(r"[^\w\- ]", "", line.strip().lower()).replace(" ", "-") for line in heading_lines(text)}
    return made | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def heading_lines(text: str) -> list[str]:
    """Return the words of the headings of a Markdown text."""
    return re.findall(r"^#+ +(.+)$", text, re.MULTILINE)


def test_every_expression_that_is_recorded_is_used() -> None:
    """What is recorded and read by nobody only costs."""
    recorded = {rule["record"] for rule in monitoring.rules() if "record" in rule}
    read: list[Any] = [rule["expr"] for rule in monitoring.rules()] + [query.expr for query in monitoring.queries()]
    assert not {name for name in recorded if not any(name in expr for expr in read)}
