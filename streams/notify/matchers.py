"""Matchers as Alertmanager writes them: `severity = critical`, `rule =~ "whale.*"`, `team != desk`. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast, get_args

from streams.records import Scope, Severity
from streams.rules.names import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from streams.records import Alert

Operator = Literal["=", "!=", "=~", "!~"]

_WRITTEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_TRANSITIONS = ("firing", "escalated", "resolved")

FIELDS: Final[Mapping[str, Callable[[Alert], str]]] = {
    "severity": lambda alert: alert.severity,
    "rule": lambda alert: alert.rule,
    "scope": lambda alert: alert.scope,
    "mode": lambda alert: alert.mode,
    "transition": lambda alert: alert.transition,
    "subject": lambda alert: alert.subject,
    "wallet": lambda alert: alert.subject if alert.scope == "wallet" else "",
    "market": lambda alert: alert.trade.condition_id or "",
    "side": lambda alert: alert.trade.side,
    "outcome": lambda alert: alert.trade.outcome or "",
    "source": lambda alert: alert.source,
    "coverage": lambda alert: alert.coverage,
}
"""Names that every alert has; any other is a label, a variable that the rule groups by, or a text that it reads."""

_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "severity": get_args(Severity),
    "scope": get_args(Scope),
    "mode": ("ACTIVE", "SHADOW"),
    "transition": _TRANSITIONS,
    "side": ("BUY", "SELL"),
    "coverage": ("complete", "gap"),
}


class Matcher(NamedTuple):
    """One condition on an alert."""

    name: str
    operator: Operator
    value: str

    def matches(self, alert: Alert) -> bool:
        """Return whether an alert is so; what it does not have is an empty text."""
        found = value_of(alert, self.name)
        equal = re.fullmatch(self.value, found) is not None if "~" in self.operator else found == self.value
        return equal is (self.operator[0] == "=")


def value_of(alert: Alert, name: str) -> str:
    """Return what an alert has under a name: a field, a label, a group's variable, or a text that its rule reads."""
    if name in FIELDS:
        return FIELDS[name](alert)
    for values in (alert.labels, alert.group):
        if name in values:
            return values[name]
    value = alert.values.get(name)
    return value if isinstance(value, str) else ""


def parse_matcher(text: str) -> Matcher:
    """Return a matcher; ValueError with what was expected."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f'expected NAME = VALUE, with = != =~ or !~, such as severity = "critical", got {text!r}')
    name, operator, written = match[1], cast("Operator", match[2]), match[3]
    value = _unquoted(written)
    if "~" in operator:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{name}: no regular expression: {error}, in {value!r}") from None
    elif name in _VALUES and value not in _VALUES[name]:
        raise ValueError(f"{name} is never {value!r}{nearest(value, _VALUES[name])}")
    return Matcher(name, operator, value)


def _unquoted(written: str) -> str:
    if not written.startswith('"'):
        if '"' in written:
            raise ValueError(f"a value with quotes stands in double quotes, got {written}")
        return written
    try:
        return str(json.loads(written))
    except ValueError:
        raise ValueError(f"expected a text in double quotes, got {written}") from None
