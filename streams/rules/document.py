"""
Rules documents: YAML, or JSON, to rules.

    rules:
      - id: large-order              # required, unique
        scope: wallet                # required: wallet | market
        severity: warning            # required: info | warning | critical
        expr: order.notional > 100.0 # required: CEL, a condition
        message: "{order.side} for {order.notional:.2f} USDC"  # required
        for: 30s                     # how long it has to stay true; default 0s
        until: wallet.w1m.orders < 5 # what ends it; default: the condition being false
        keep_firing_for: 5m          # how long it goes on after that; default 0s
        escalate: market.w1h.wallets # CEL, a whole number: told again each time it is higher than ever before
        group_by: [market.id]        # an alert of its own for each
        cooldown: 5m                 # default 5m
        max_age: 60s                 # default 60s
        warmup: 1h                   # default 0s
        wallets: ["0x..."]           # which orders may tip it; default all
        wallet_labels: [whale]       # labels of the watch-list
        markets: [btc-updown-15m-*]  # condition ids or slugs
        mode: ACTIVE                 # ACTIVE | SHADOW | PAUSED; default ACTIVE
        labels: {team: desk}         # default none
"""

from __future__ import annotations

import re
from typing import get_args

import yaml

from connector.contract.address import parse_address
from connector.contract.errors import InvalidAddress
from streams.durations import parse_duration
from streams.records import Scope, Severity
from streams.rules import nodes
from streams.rules.errors import Fault
from streams.rules.nodes import Reader
from streams.rules.rule import Mode, Rule, Selectors

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_REQUIRED = ("id", "scope", "severity", "expr", "message")


class Written:
    """A rule and the lines (from 1) on which its fields are written."""

    def __init__(self, rule: Rule, lines: dict[str, int]) -> None:
        self.rule = rule
        self.lines = lines


def read_document(text: str) -> tuple[list[Written], list[Fault]]:
    """Return the rules that are well-formed, and everything that is wrong with the others."""
    reader = Reader()
    root = reader.compose(text, expected="one key, rules, with a list of rules")
    if root is None:
        return [], reader.faults
    fields = nodes.fields_of(root)
    listed = fields.get("rules")
    if len(fields) != 1 or not isinstance(listed, yaml.SequenceNode):
        return [], [Fault(1, "document", "expected one key, rules, with a list of rules")]
    written = [_read_rule(reader, node, f"rule {place}") for place, node in enumerate(listed.value, start=1)]
    rules = [each for each in written if each is not None]
    return rules, reader.faults + _repeated(rules)


def _repeated(rules: list[Written]) -> list[Fault]:
    first: dict[str, int] = {}
    faults = []
    for each in rules:
        line = each.lines["id"]
        if each.rule.id in first:
            faults.append(Fault(line, each.rule.id, f"id is taken by the rule on line {first[each.rule.id]}"))
        first.setdefault(each.rule.id, line)
    return faults


def _read_rule(reader: Reader, node: yaml.Node, place: str) -> Written | None:
    """Return the rule; None where something is wrong with it, which the reader is told."""
    before = len(reader.faults)
    fields = nodes.fields_of(node)
    name = str(fields["id"].value) if "id" in fields else place
    read = {key: read for key, (_, read) in _READERS.items()}
    values = {FIELDS[key]: value for key, value in reader.mapping(node, name, read, required=_REQUIRED).items()}
    if len(reader.faults) > before:
        return None
    select = Selectors(**{name: values.pop(name) for name in Selectors.__struct_fields__ if name in values})
    return Written(Rule(select=select, **values), {field: _first_line(value) for field, value in fields.items()})


def _first_line(node: yaml.Node) -> int:
    """Return the line of a value's text, which in a block begins below the `|`."""
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.start_mark.line) + (2 if block else 1)


def _id(node: yaml.Node) -> str:
    text = nodes.text(node)
    if not _ID.fullmatch(text):
        raise ValueError(f"expected lower-case letters, digits and dashes, at most 64, got {text!r}")
    return text


def _duration_ms(node: yaml.Node) -> int:
    return parse_duration(nodes.text(node))


def _texts(node: yaml.Node) -> tuple[str, ...]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise ValueError("expected a list of texts such as [one, two]")
    return tuple(dict.fromkeys(nodes.texts(node)))


def _markets(node: yaml.Node) -> tuple[str, ...]:
    """Condition ids and slugs are lower case on the wire."""
    return tuple(text.lower() for text in _texts(node))


def _addresses(node: yaml.Node) -> tuple[str, ...]:
    try:
        return tuple(map(parse_address, _texts(node)))
    except InvalidAddress as error:
        raise ValueError(str(error)) from None


_READERS: dict[str, tuple[str, nodes.Read]] = {
    "id": ("id", _id),
    "scope": ("scope", nodes.one_of(*get_args(Scope))),
    "severity": ("severity", nodes.one_of(*get_args(Severity))),
    "expr": ("expr", nodes.text),
    "message": ("message", nodes.text),
    "for": ("for_ms", _duration_ms),
    "until": ("until", nodes.text),
    "keep_firing_for": ("keep_firing_for_ms", _duration_ms),
    "escalate": ("escalate", nodes.text),
    "group_by": ("group_by", _texts),
    "cooldown": ("cooldown_ms", _duration_ms),
    "max_age": ("max_age_ms", _duration_ms),
    "warmup": ("warmup_ms", _duration_ms),
    "wallets": ("wallets", _addresses),
    "wallet_labels": ("wallet_labels", _texts),
    "markets": ("markets", _markets),
    "mode": ("mode", nodes.one_of(*get_args(Mode))),
    "labels": ("labels", nodes.named_texts),
}
"""Key in the document -> field of the rule, and how it is read."""

FIELDS = {key: field for key, (field, _) in _READERS.items()}
"""Key in the document -> field of `Rule` or of its `Selectors`."""
