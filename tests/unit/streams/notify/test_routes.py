"""Who is told of what."""

from __future__ import annotations

from typing import Any

import pytest

from streams.notify.matchers import parse_matcher
from streams.notify.routes import Route, fingerprint, group_of, routes_of
from tests.support.alerts import alert


def matches(text: str, **fields: Any) -> bool:
    """Return whether an alert has what a matcher wants."""
    return parse_matcher(text).matches(alert(**fields))


@pytest.mark.parametrize(
    ("text", "fields", "expected"),
    [
        ("severity = critical", {"severity": "critical"}, True),
        ('severity="warning"', {"severity": "critical"}, False),
        ("severity != critical", {"severity": "info"}, True),
        ('rule =~ "whale.*"', {"rule": "whale-buys"}, True),
        ('rule =~ "whale"', {"rule": "whale-buys"}, False),
        ('rule !~ "whale.*|burst"', {"rule": "burst"}, False),
        ("team = desk", {"labels": {"team": "desk"}}, True),
        ('team = ""', {}, True),
        ("team != desk", {}, True),
        ("order.label = whale", {"values": {"order.label": "whale"}}, True),
        ("market.id = m", {"group": {"market.id": "m"}}, True),
        ("wallet.w1m.orders = 21", {}, False),
        ("wallet = 0x1", {"subject": "0x1"}, True),
        ("wallet = 0x1", {"subject": "0x1", "scope": "market"}, False),
        ("market =~ 0xe6.*", {}, True),
        ("mode = ACTIVE", {}, True),
        ("transition = resolved", {"transition": "resolved"}, True),
    ],
)
def test_matchers_mean_what_alertmanagers_do(text: str, fields: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    """Regular expressions match the whole, and what is absent is empty."""
    assert matches(text, **fields) is expected


@pytest.mark.parametrize("text", ["severity", "= x", 'rule = "x', 'rule = x"y', "rule =~ (", "scope = wallets"])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match=r"expected|double quotes|no regular expression|is never"):
        parse_matcher(text)


def route(receiver: str, *matchers: str, go_on: bool = False, routes: tuple[Route, ...] = ()) -> Route:
    """Return a route."""
    return Route(receiver=receiver, matchers=tuple(map(parse_matcher, matchers)), go_on=go_on, routes=routes)


TREE = route(
    "root",
    routes=(
        route("log", go_on=True),
        route("grave", "severity = critical", routes=(route("whales", "rule = whale"), route("bursts", "rule = b"))),
        route("team", "team = desk", go_on=True),
        route("last", "team =~ desk|risk"),
    ),
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["log"]),
        ({"severity": "critical"}, ["log", "grave"]),
        ({"severity": "critical", "rule": "whale", "labels": {"team": "desk"}}, ["log", "whales"]),
        ({"labels": {"team": "desk"}}, ["log", "team", "last"]),
        ({"labels": {"team": "risk"}}, ["log", "last"]),
    ],
)
def test_the_deepest_route_is_told_and_siblings_after_continue(fields: dict[str, Any], expected: list[str]) -> None:
    """The first branch that takes an alert is the last one asked, unless it says `continue`."""
    assert [each.receiver for each in routes_of(TREE, alert(**fields))] == expected


def test_the_root_is_told_of_what_nobody_takes() -> None:
    """As in Alertmanager."""
    assert [each.receiver for each in routes_of(route("root", routes=(route("a", "rule = x"),)), alert())] == ["root"]


def test_groups_are_what_alerts_have_in_common() -> None:
    """Values of labels, fields and variables; `...` is each for itself."""
    tree = Route(receiver="x", group_by=("rule", "team", "order.label"))
    one = alert(rule="a", labels={"team": "desk"}, values={"order.label": "whale"})
    assert group_of(tree, one) == {"rule": "a", "team": "desk", "order.label": "whale"}
    assert group_of(Route(receiver="x"), one) == {}
    alone = Route(receiver="x", group_by=("...",))
    assert group_of(alone, one) != group_of(alone, alert("other", rule="a"))


def test_another_tree_has_other_groups() -> None:
    """What a group knows is true of the tree it was made by."""
    trees = [TREE, route("root"), route("root", routes=(route("a"),)), route("root", routes=(route("a", "rule = b"),))]
    assert len({fingerprint(each) for each in trees}) == len(trees)
