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
    """A rule that can be evaluated."""

    def __init__(self, rule: Rule, condition: Condition, template: Template) -> None:
        self.rule = rule
        self.condition = condition
        self.template = template
        self.clauses = condition.clauses(rule.scope)
        self.reads = frozenset(variable.name for variable in condition.variables)
        windows = [variable.window for variable in condition.variables if variable.window is not None]
        self.widest = max(windows, default=None)
        """Index of the widest window the condition reads."""


def activate(written: Written, faults: list[Fault]) -> Active | None:
    """Return the rule made ready, or None after adding its faults."""
    rule = written.rule
    condition = template = None
    try:
        condition = Condition(rule.expr, rule.scope)
        if not condition.is_bool:
            raise Refused("expected a condition, true or false")  # noqa: TRY301  # one place reports both
    except Refused as error:
        faults.append(Fault(written.lines["expr"] + error.line, rule.id, f"expr: {error}"))
        condition = None
    try:
        template = Template(rule.message, CATALOGUE[rule.scope])
    except ValueError as error:
        faults.append(Fault(written.lines["message"], rule.id, str(error)))
    return None if condition is None or template is None else Active(rule, condition, template)
