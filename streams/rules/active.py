"""A rule made ready: its expressions and message compiled, and what does not fit together refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.rules.catalogue import CATALOGUE
from streams.rules.condition import Condition, Refused
from streams.rules.errors import Fault
from streams.rules.names import nearest
from streams.rules.selectors import MOST_KEYS, keys
from streams.rules.spelling import impossible
from streams.rules.template import Template

if TYPE_CHECKING:
    from streams.rules.condition import Kind
    from streams.rules.document import Written
    from streams.rules.rule import Rule


class Active:
    """A rule that can be evaluated."""

    def __init__(
        self,
        rule: Rule,
        condition: Condition,
        template: Template,
        *,
        until: Condition | None = None,
        escalate: Condition | None = None,
    ) -> None:
        self.rule = rule
        self.condition = condition
        self.template = template
        self.until = until
        self.escalate = escalate
        self.tree = condition.tree_of_clauses()
        self.groups = {name: CATALOGUE[rule.scope][name] for name in rule.group_by if name in CATALOGUE[rule.scope]}
        self.reads = frozenset(variable.name for variable in condition.variables)
        self.of_order = condition.of_order
        self.momentary = self.of_order and until is None and not rule.keep_firing_for_ms
        """Whether an alert is over as soon as it is told."""
        windows = [variable.window for variable in condition.variables if variable.window is not None]
        self.widest = max(windows, default=None)
        """Index of the widest window the condition reads."""


class _Reader:
    """Compiles the parts of one rule, and gathers what is wrong."""

    def __init__(self, written: Written, faults: list[Fault]) -> None:
        self.rule = written.rule
        self._lines = written.lines
        self._faults = faults

    def condition(self, field: str, kind: Kind) -> Condition | None:
        """Compile the expression of a field, if the rule has it."""
        text = getattr(self.rule, field)
        if text is None:
            return None
        try:
            condition = Condition(text, self.rule.scope)
        except Refused as error:
            self.fault(field, f"{field}: {error}", error.line)
            return None
        if condition.kind != kind:
            self.fault(field, f"{field}: expected {_KINDS[kind]}, got {condition.kind}")
            return None
        for name, said in () if condition.tree is None else impossible(condition.tree):
            doc = CATALOGUE[self.rule.scope][name].doc
            self.fault(field, f"{field}: {name} is never {said!r}: {doc}")
        return condition

    def template(self) -> Template | None:
        """Compile the message."""
        try:
            return Template(self.rule.message, CATALOGUE[self.rule.scope])
        except ValueError as error:
            self.fault("message", str(error))
            return None

    def fault(self, field: str, text: str, line: int = 0) -> None:
        """Take note of something wrong with a field."""
        self._faults.append(Fault(self._lines.get(field, self._lines["id"]) + line, self.rule.id, text))


_KINDS: dict[Kind, str] = {"bool": "a condition, true or false", "int": "a whole number"}


def activate(written: Written, faults: list[Fault]) -> Active | None:
    """Return the rule made ready, or None after adding its faults."""
    before = len(faults)
    reader = _Reader(written, faults)
    condition, until = reader.condition("expr", "bool"), reader.condition("until", "bool")
    escalate, template = reader.condition("escalate", "int"), reader.template()
    if condition is None or template is None or len(faults) > before:
        return None
    active = Active(written.rule, condition, template, until=until, escalate=escalate)
    _check(active, reader)
    return None if len(faults) > before else active


def _check(active: Active, reader: _Reader) -> None:
    """Refuse what makes no sense together."""
    rule = active.rule
    if active.until is not None and active.until.of_order:
        reader.fault("until", f"until: {_orders(active.until)} is about the order at hand, and time has none")
    if active.escalate is not None and active.momentary:
        reader.fault(
            "escalate",
            "escalate: the alert is over at the order that tips it, and nothing is left to escalate;"
            " give it until or keep_firing_for",
        )
    if rule.for_ms and active.of_order:
        reader.fault("for", f"for: {_orders(active.condition)} is about the order at hand, which is true for no time")
    if rule.for_ms and (said := [each.name for each in active.template.variables if each.of_order]):
        reader.fault(
            "message", f"message: {{{said[0]}}} is about an order, and with `for` the alert fires between orders"
        )
    if rule.group_by and not active.of_order:
        reader.fault("group_by", "group_by: only a rule about the order at hand has orders to group")
    for name in rule.group_by:
        variable = CATALOGUE[rule.scope].get(name)
        if variable is None:
            reader.fault("group_by", f"group_by: unknown variable {name}{nearest(name, CATALOGUE[rule.scope])}")
        elif variable.type != "string":
            reader.fault("group_by", f"group_by: {name} is a {variable.type}, only texts group")
    if len(keys(rule.select)) > MOST_KEYS:
        reader.fault(
            "wallets", f"wallets, wallet_labels, markets: more than {MOST_KEYS:,} combinations; label the wallets"
        )


def _orders(condition: Condition) -> str:
    return next(variable.name for variable in condition.variables if variable.of_order)
