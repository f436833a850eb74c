"""Reads one test, its orders and the alerts it expects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from msgspec.structs import replace

from streams.records import Severity
from streams.rules import nodes
from streams.rules.nodes import line_of
from streams.ruletest.cases import Case, CaseOrder, Expected, Source, Transition

if TYPE_CHECKING:
    from collections.abc import Mapping

    import yaml

    from streams.rules.nodes import Reader

MOST_ORDERS = 1_000_000
"""Orders of one test, repetitions counted."""

_LARGEST = 1e9
_SUBJECTS = ("subject", "wallet", "market")

_REPEAT = re.compile(r"(\d{1,6}) every (\S+)", re.ASCII)


def _repeat(node: yaml.Node) -> tuple[int, int]:
    """Read `20 every 1s`: how often, and the milliseconds between."""
    match = _REPEAT.fullmatch(nodes.text(node))
    if match is None:
        raise ValueError(f"expected how often and how far apart, such as 20 every 1s, got {nodes.text(node)!r}")
    return int(match[1]), nodes.parse_time_ms(match[2])


_DEFAULTS: Mapping[str, nodes.Read] = {
    "delay": nodes.time_ms,
    "wallet": nodes.text,
    "market": nodes.optional_text,
    "outcome": nodes.text,
    "side": nodes.one_of("BUY", "SELL"),
    "price": nodes.number(above=0, up_to=1),
    "usdc": nodes.number(above=0, up_to=_LARGEST),
    "shares": nodes.number(above=0, up_to=_LARGEST),
    "label": nodes.text,
    "source": nodes.one_of(*get_args(Source)),
}
_ORDER: Mapping[str, nodes.Read] = {"at": nodes.time_ms, "repeat": _repeat, **_DEFAULTS}
_ALERT: Mapping[str, nodes.Read] = {
    "at": nodes.time_ms,
    "rule": nodes.text,
    "transition": nodes.one_of(*get_args(Transition)),
    **dict.fromkeys(_SUBJECTS, nodes.text),
    "group": nodes.named_texts,
    "message": nodes.text,
    "severity": nodes.one_of(*get_args(Severity)),
    "labels": nodes.named_texts,
    "values": nodes.scalars,
}
_TEST: Mapping[str, nodes.Read] = {
    "name": nodes.text,
    "only": nodes.texts,
    "defaults": nodes.itself,
    "orders": nodes.items,
    "alerts": nodes.items,
    "until": nodes.time_ms,
}


def read_defaults(reader: Reader, node: yaml.Node | None, name: str) -> dict[str, Any]:
    """Return the fields that orders have unless they say otherwise."""
    return {} if node is None else _fields(reader, node, name, _DEFAULTS)


def read_case(reader: Reader, node: yaml.Node, place: int, defaults: Mapping[str, Any]) -> Case:
    """Return a test; what is wrong with it is told to the reader."""
    fields = reader.mapping(node, f"test {place}", _TEST, required=("name", "orders", "alerts"))
    name = str(fields.get("name", f"test {place}"))
    usual = _over(defaults, read_defaults(reader, fields.get("defaults"), name))
    case = Case(
        name=name,
        line=line_of(node),
        only=fields.get("only", ()),
        orders=tuple(order for each in fields.get("orders", []) for order in _orders(reader, each, name, usual)),
        alerts=tuple(_alert(reader, each, name) for each in fields.get("alerts", [])),
        until_ms=fields.get("until"),
    )
    if len(case.orders) > MOST_ORDERS:
        reader.fault(node, name, f"orders: {len(case.orders):,} are too many for a test, at most {MOST_ORDERS:,}")
    if case.until_ms is not None and any(order.arrival_ms > case.until_ms for order in case.orders):
        reader.fault(node, name, "until: there is an order that arrives later")
    return case


def _fields(
    reader: Reader, node: yaml.Node, name: str, known: Mapping[str, nodes.Read], *required: str
) -> dict[str, Any]:
    values = reader.mapping(node, name, known, required=required)
    if "usdc" in values and "shares" in values:
        reader.fault(node, name, "usdc and shares: give one of them, the other follows from the price")
    return values


def _over(usual: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with what is usual for the others; usdc and shares stand for each other."""
    worth = {"usdc", "shares"}
    return {key: value for key, value in usual.items() if not (key in worth and worth & own.keys())} | dict(own)


def _orders(reader: Reader, node: yaml.Node, name: str, usual: Mapping[str, Any]) -> list[CaseOrder]:
    values = _over(usual, _fields(reader, node, name, _ORDER, "at"))
    times, apart_ms = values.pop("repeat", (1, 0))
    first = CaseOrder(at_ms=values.pop("at", 0), delay_ms=values.pop("delay", 0), **values)
    return [replace(first, at_ms=first.at_ms + place * apart_ms) for place in range(times)]


def _alert(reader: Reader, node: yaml.Node, name: str) -> Expected:
    values = reader.mapping(node, name, _ALERT, required=("at", "rule"))
    subjects = [values.pop(key) for key in _SUBJECTS if key in values]
    if len(subjects) > 1:
        reader.fault(node, name, "subject, wallet and market: an alert is about one of them")
    at_ms, rule = values.pop("at", 0), values.pop("rule", "")
    return Expected(line=line_of(node), at_ms=at_ms, rule=rule, subject=subjects[0] if subjects else None, **values)
