"""Routes: a tree that says who is told of an alert, and how it is grouped. Alertmanager's words and meaning. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from streams.notify.matchers import Matcher, value_of
from streams.notify.records import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.records import Alert

GROUP_WAIT_MS: Final = 30_000
GROUP_INTERVAL_MS: Final = 300_000
REPEAT_INTERVAL_MS: Final = 4 * 3_600_000

BY_ALL: Final = "..."
"""In `group_by`: every alert of a rule about the same subject and group is one for itself."""


class Timing(msgspec.Struct, frozen=True):
    """When a group speaks; milliseconds."""

    group_wait_ms: int = GROUP_WAIT_MS
    """From a new group's first alert to its notification."""
    group_interval_ms: int = GROUP_INTERVAL_MS
    """At least, between notifications about one group."""
    repeat_interval_ms: int = REPEAT_INTERVAL_MS
    """At least, until what still fires is told again."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the tree; what it does not say itself is its parent's already."""

    receiver: str
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] = ()
    timing: Timing = Timing()
    go_on: bool = False
    """`continue`: siblings below are asked, too."""
    routes: tuple[Route, ...] = ()
    path: str = "0"
    """Where it is in the tree."""


def routes_of(route: Route, alert: Alert) -> Iterator[Route]:
    """Yield who is to be told of an alert: of each branch that it takes the deepest node; none if the root refuses."""
    if not all(matcher.matches(alert) for matcher in route.matchers):
        return
    deeper = False
    for child in route.routes:
        taken = False
        for found in routes_of(child, alert):
            taken = deeper = True
            yield found
        if taken and not child.go_on:
            break
    if not deeper:
        yield route


def group_of(route: Route, alert: Alert) -> dict[str, str]:
    """Return the values that an alert shares with its group."""
    if BY_ALL in route.group_by:
        return {"rule": cut(alert.rule), "subject": cut(alert.subject)} | {
            cut(name): cut(value) for name, value in alert.group.items()
        }
    return {name: cut(value_of(alert, name)) for name in route.group_by}


def fingerprint(route: Route) -> str:
    """Return what tells a tree from another one: groups of another tree are others, whatever they are called."""
    return hashlib.sha256(msgspec.json.encode(route, order="sorted")).hexdigest()[:16]


def walk(route: Route) -> Iterator[Route]:
    """Yield all nodes."""
    yield route
    for child in route.routes:
        yield from walk(child)
