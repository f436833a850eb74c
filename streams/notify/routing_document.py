"""The `route` of a file of notifications. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml
from msgspec.structs import replace

from streams.notify.matchers import Matcher, parse_matcher
from streams.notify.routes import Route, Timing
from streams.rules import nodes
from streams.rules.names import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from streams.rules.nodes import Reader

MOST_ROUTES_DEEP: Final = 16


def _interval(node: yaml.Node) -> int:
    milliseconds = nodes.time_ms(node)
    if not milliseconds:
        raise ValueError("expected more than 0s")
    return milliseconds


def _matchers(node: yaml.Node) -> tuple[Matcher, ...]:
    return tuple(map(parse_matcher, nodes.texts(node)))


_ROUTE: Mapping[str, nodes.Read] = {
    "matchers": _matchers,
    "group_by": nodes.texts,
    "group_wait": nodes.time_ms,
    "group_interval": _interval,
    "repeat_interval": _interval,
    "continue": lambda node: nodes.one_of("true", "false")(node) == "true",
    "routes": nodes.items,
}
_TIMES: Final = {each: f"{each}_ms" for each in ("group_wait", "group_interval", "repeat_interval")}


def read_route(reader: Reader, node: yaml.Node, receivers: Collection[str]) -> Route:
    """Return the tree; what is wrong with it is told to the reader."""
    route = _Routes(reader, receivers).read(node, Route(receiver=""), "0", 0)
    given = nodes.fields_of(node).keys()
    if isinstance(node, yaml.MappingNode) and "receiver" not in given:
        reader.fault(node, "route", "receiver is missing: the root says who is told of what no other route takes")
    for key in sorted({"matchers", "continue"} & given):
        reader.fault(node, "route", f"{key}: the root takes every alert, give it to its routes")
    return route


class _Routes:
    """Reads routes, each with what it inherits."""

    def __init__(self, reader: Reader, receivers: Collection[str]) -> None:
        self._reader = reader
        self._receivers = receivers

    def read(self, node: yaml.Node, parent: Route, path: str, depth: int) -> Route:
        """Return the route at a place of the tree."""
        name = "route" if path == "0" else f"route {path.removeprefix('0.')}"
        fields = self._reader.mapping(node, name, {**_ROUTE, "receiver": self._receiver})
        route = Route(
            receiver=fields.get("receiver", parent.receiver),
            matchers=fields.get("matchers", ()),
            group_by=fields.get("group_by", parent.group_by),
            timing=_timing(fields, parent.timing),
            go_on=fields.get("continue", False),
            path=path,
        )
        if depth >= MOST_ROUTES_DEEP:
            self._reader.fault(node, name, f"routes are at most {MOST_ROUTES_DEEP} deep")
            return route
        children = enumerate(fields.get("routes", []), start=1)
        routes = tuple(self.read(child, route, f"{path}.{place}", depth + 1) for place, child in children)
        return replace(route, routes=routes)

    def _receiver(self, node: yaml.Node) -> str:
        name = nodes.text(node)
        if name not in self._receivers:
            raise ValueError(f"there is none called {name}{nearest(name, self._receivers)}")
        return name


def _timing(fields: Mapping[str, Any], usual: Timing) -> Timing:
    return Timing(**{to: fields.get(name, getattr(usual, to)) for name, to in _TIMES.items()})
