"""
The rules of one scope, ready to be asked, and what makes one fire.

An alert needs an order that tips it.

- A rule that speaks of the order at hand (`Variable.of_order`) is true only at that order: each
  order that matches is an edge.
- A rule over statistics alone fires when it becomes true. It is armed again when it is false after
  an order, or just before the next one, when the statistics have decayed to the clock.
- An edge is held back within `cooldown` of the rule's last alert about the subject, and where the
  order is older than `max_age` or older than every window. Holding back does not use it up: only
  an alert disarms a rule, so a condition that still holds at the next fresh order after the
  cooldown fires there.

Times are the clock's, milliseconds of the log: the same log, the same alerts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from streams.rules.catalogue import CATALOGUE
from streams.rules.translate import compile_source
from streams.stats.rulestate import RuleState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.records import Scope
    from streams.rules.active import Active
    from streams.rules.facts import Facts

Memory = dict[int, RuleState]
"""What the rules remember of one subject: rule number -> edge. Absent is armed, with no cooldown running."""


class RuleSet:
    """All rules of a scope. `errors` counts, by rule id, evaluations that had no value."""

    def __init__(self, scope: Scope, rules: Sequence[Active]) -> None:
        names = [name for name in CATALOGUE[scope] if any(name in active.reads for active in rules)]
        python_names = {name: f"v{place}" for place, name in enumerate(names)}
        sources = {active.rule.id: active.condition.source(python_names) for active in rules}
        self._names = names
        self._reads = [CATALOGUE[scope][name].read for name in names]
        self._translated = [active for active in rules if sources[active.rule.id] is not None]
        self._others = [active for active in rules if sources[active.rule.id] is None]
        joined = "".join(f"{sources[active.rule.id]}, " for active in self._translated)
        self._joined = compile_source(f"({joined})", list(python_names.values()))
        self._rules = [*self._translated, *self._others]
        self._places = {active.rule.number: place for place, active in enumerate(self._rules)}
        self.errors: Counter[str] = Counter()

    def before(self, memory: Memory, facts: Facts) -> None:
        """Arm what is no longer true just before an order, and forget what says nothing any more."""
        for number, edge in list(memory.items()):
            place = self._places.get(number)
            if place is None or (edge.armed and self._rested(self._rules[place], edge, facts.clock)):
                del memory[number]
            elif not edge.armed:
                active = self._rules[place]
                values = {variable.name: variable.read(facts) for variable in active.condition.variables}
                edge.armed = self._truth(active, values) is False

    def after(self, memory: Memory, facts: Facts) -> list[Active]:
        """Return the rules that fire with the order in the statistics."""
        truths = self._truths(facts)
        for number, edge in memory.items():
            if truths[self._places[number]] is False:
                edge.armed = True
        if True not in truths:
            return []
        return [
            active
            for active, truth in zip(self._rules, truths, strict=True)
            if truth is True and self._fires(active, memory, facts)
        ]

    def _fires(self, active: Active, memory: Memory, facts: Facts) -> bool:
        rule, clock = active.rule, facts.clock
        if clock - facts.order.timestamp * 1_000 > rule.max_age_ms:
            return False
        edge = memory.get(rule.number)
        if edge is not None and not (edge.armed and self._rested(active, edge, clock)):
            return False
        memory[rule.number] = RuleState(fired=clock, armed=active.condition.of_order)
        return True

    @staticmethod
    def _rested(active: Active, edge: RuleState, clock: int) -> bool:
        return clock - edge.fired >= active.rule.cooldown_ms

    def _truths(self, facts: Facts) -> tuple[bool | None, ...]:
        """Return the truth of each rule, None where it has none."""
        found = [read(facts) for read in self._reads]
        try:
            truths: tuple[bool | None, ...] = self._joined(*found)
        except ArithmeticError:  # one rule's; it is to harm no other
            values = dict(zip(self._names, found, strict=True))
            return tuple(self._truth(active, values) for active in self._rules)
        if self._others:
            values = dict(zip(self._names, found, strict=True))
            truths += tuple(self._truth(active, values) for active in self._others)
        return truths

    def _truth(self, active: Active, values: dict[str, Any]) -> bool | None:
        try:
            return bool(active.condition.evaluate(values))
        except ArithmeticError:
            self.errors[active.rule.id] += 1
            return None
