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
from typing import TYPE_CHECKING

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
        sources = {active.rule.number: active.condition.source(_lazy(names)) for active in rules}
        self._translated = [active for active in rules if sources[active.rule.number] is not None]
        self._others = [active for active in rules if sources[active.rule.number] is None]
        joined = "".join(f"{sources[active.rule.number]}, " for active in self._translated)
        self._joined = compile_source(
            f"({joined})",
            ["facts", *(f"v{place}=None" for place in range(len(names)))],
            {f"read{place}": CATALOGUE[scope][name].read for place, name in enumerate(names)},
        )
        self._rules = [*self._translated, *self._others]
        self._places = {active.rule.number: place for place, active in enumerate(self._rules)}
        self.errors: Counter[str] = Counter()

    def before(self, memory: Memory, facts: Facts) -> None:
        """Arm what is no longer true just before an order."""
        for number, edge in memory.items():
            place = self._places.get(number)
            if place is not None and not edge.armed:
                edge.armed = self._truth(self._rules[place], facts) is False

    def after(self, memory: Memory, facts: Facts) -> list[Active]:
        """Return the rules that fire with the order in the statistics."""
        truths = self._truths(facts)
        for number, edge in memory.items():
            if not edge.armed:
                place = self._places.get(number)
                edge.armed = place is not None and truths[place] is False
        if True not in truths:
            return []
        fired = [
            active
            for active, truth in zip(self._rules, truths, strict=True)
            if truth is True and self._may_fire(active, memory, facts)
        ]
        if fired:
            self._note(fired, memory, facts.clock)
        return fired

    def _may_fire(self, active: Active, memory: Memory, facts: Facts) -> bool:
        rule = active.rule
        edge = memory.get(rule.number)
        if edge is not None and not (edge.armed and facts.clock - edge.fired >= rule.cooldown_ms):
            return False
        return facts.clock - facts.order.timestamp * 1_000 <= rule.max_age_ms

    def _note(self, fired: list[Active], memory: Memory, clock: int) -> None:
        """Remember what fired; forget edges that say nothing any more and those of rules that are gone."""
        for number, edge in list(memory.items()):
            place = self._places.get(number)
            if place is None or (edge.armed and clock - edge.fired >= self._rules[place].rule.cooldown_ms):
                del memory[number]
        for active in fired:
            memory[active.rule.number] = RuleState(fired=clock, armed=active.condition.of_order)

    def _truths(self, facts: Facts) -> tuple[bool | None, ...]:
        """Return the truth of each rule, None where it has none."""
        try:
            truths: tuple[bool | None, ...] = self._joined(facts)
        except ArithmeticError:  # one rule's; it is to harm no other
            truths = tuple(self._truth(active, facts) for active in self._translated)
        return truths + tuple(self._truth(active, facts) for active in self._others) if self._others else truths

    def _truth(self, active: Active, facts: Facts) -> bool | None:
        values = {variable.name: variable.read(facts) for variable in active.condition.variables}
        try:
            return bool(active.condition.evaluate(values))
        except ArithmeticError:
            self.errors[active.rule.id] += 1
            return None


def _lazy(names: Sequence[str]) -> dict[str, str]:
    """Return Python sources that read a variable when it is first needed, and once."""
    return {
        name: f"(v{place} if v{place} is not None else (v{place} := read{place}(facts)))"
        for place, name in enumerate(names)
    }
