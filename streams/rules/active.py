"""A rule made ready: condition, clauses and message compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.rules.catalogue import CATALOGUE
from streams.rules.condition import Condition, Refused
from streams.rules.errors import Fault
from streams.rules.template import Template

if TYPE_CHECKING:
    from streams.rules.document import Written
    from streams.rules.rule import Rule


class Active:
    """
    A rule that can be evaluated.

    Raises:
        Refused: the condition; ValueError: the message.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.condition = Condition(rule.expr, rule.scope)
        if not self.condition.is_bool:
            raise Refused("expected a condition, true or false")
        self.template = Template(rule.message, CATALOGUE[rule.scope])
        self.clauses = self.condition.clauses(rule.scope)
        self.reads = frozenset(variable.name for variable in self.condition.variables)
        windows = [variable.window for variable in self.condition.variables if variable.window is not None]
        self.widest = max(windows, default=None)
        """Index of the widest window the condition reads."""


def activate(written: Written, faults: list[Fault]) -> Active | None:
    """Return the rule made ready, or None after adding its faults."""
    rule = written.rule
    found = []
    try:
        Template(rule.message, CATALOGUE[rule.scope])
    except ValueError as error:
        found.append(Fault(written.lines["message"], rule.id, str(error)))
    try:
        Condition(rule.expr, rule.scope)
        active = None if found else Active(rule)
    except Refused as error:
        found.append(Fault(written.lines["expr"] + error.line, rule.id, f"expr: {error}"))
    faults += found
    return None if found else active
