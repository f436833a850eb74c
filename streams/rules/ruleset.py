"""The rules of one scope, ready to be asked which of them are true at an order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from streams.rules.catalogue import CATALOGUE
from streams.rules.selectors import Index
from streams.rules.translate import compile_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.records import Scope
    from streams.rules.active import Active
    from streams.rules.condition import Condition
    from streams.rules.facts import Facts
    from streams.rules.interface import Errors
    from streams.rules.lifecycle import Truth

PARKED_AFTER = 100
"""Errors in one partition after which a rule is not evaluated there any more, until it is changed."""


class RuleSet:
    """All rules of a scope that are not paused."""

    def __init__(self, scope: Scope, rules: Sequence[Active]) -> None:
        self._scope: Scope = scope
        running = [active for active in rules if active.rule.mode != "PAUSED"]
        self._rules = {active.rule.number: active for active in running}
        self._index = Index((active.rule.select, active) for active in running)
        made: dict[tuple[int, ...], Program] = {}
        for bucket in self._index.buckets().values():
            numbers = tuple(active.rule.number for active in bucket)
            if numbers not in made:
                made[numbers] = Program(scope, bucket)
        self.asked = 0
        """How many rules were evaluated at the last order."""
        self._programs = {
            key: made[tuple(active.rule.number for active in bucket)] for key, bucket in self._index.buckets().items()
        }

    def get(self, number: int) -> Active | None:
        """Return a rule by its number."""
        return self._rules.get(number)

    def true(self, facts: Facts, errors: Errors) -> Iterable[Active]:
        """Return the rules that concern the order at hand and are true with it in the statistics."""
        order = facts.at_hand
        keys = self._index.find(order.user, facts.label, order.condition_id, order.market_slug)
        if len(keys) == 1:
            program = self._programs[keys[0]]
            self.asked = program.size
            return program.true(facts, errors)
        self.asked = sum(self._programs[key].size for key in keys)
        found: dict[int, Active] = {}
        for key in keys:
            for active in self._programs[key].true(facts, errors):
                found[active.rule.number] = active
        return found.values()


class Program:
    """Rules that concern the same orders, evaluated together: what several of them read is read once."""

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
        self._numbers = frozenset(sources)
        self.size = len(sources)
        self._but = partial(_without, scope, rules, {})

    def true(self, facts: Facts, errors: Errors) -> list[Active]:
        """Return the rules that are true; those that have no value are counted, and left out once they are parked."""
        if errors and (parked := self._numbers.intersection(n for n in errors if is_parked(n, errors))):
            return self._but(parked).true(facts, errors)
        try:
            truths = self._joined(facts)
        except ArithmeticError:  # one rule's; it is to harm no other
            truths = [truth(active, active.condition, facts, errors) for active in self._translated]
        found = [active for active, true in zip(self._translated, truths, strict=True) if true] if any(truths) else []
        found += [active for active in self._others if truth(active, active.condition, facts, errors)]
        return found


def _without(
    scope: Scope, rules: Sequence[Active], made: dict[frozenset[int], Program], parked: frozenset[int]
) -> Program:
    """Return the program of the rules that are not parked, made once."""
    if parked not in made:
        made[parked] = Program(scope, [active for active in rules if active.rule.number not in parked])
    return made[parked]


def is_parked(number: int, errors: Errors) -> bool:
    """Return whether a rule had its last chance in this partition."""
    return errors.get(number, 0) >= PARKED_AFTER


def truth(active: Active, condition: Condition, facts: Facts, errors: Errors) -> Truth:
    """Return the truth of one of a rule's conditions, None where it has none, which is counted."""
    value = evaluate(active, condition, facts, errors)
    return None if value is None else bool(value)


def evaluate(active: Active, condition: Condition, facts: Facts, errors: Errors) -> Any:
    """Return the value of one of a rule's expressions, None where it has none, which is counted."""
    values = {variable.name: variable.read(facts) for variable in condition.variables}
    try:
        return condition.evaluate(values)
    except ArithmeticError:
        errors[active.rule.number] = errors.get(active.rule.number, 0) + 1
        return None


def _lazy(names: Sequence[str]) -> dict[str, str]:
    """Return Python sources that read a variable when it is first needed, and once."""
    return {
        name: f"(v{place} if v{place} is not None else (v{place} := read{place}(facts)))"
        for place, name in enumerate(names)
    }
