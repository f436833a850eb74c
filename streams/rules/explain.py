"""The alert record: what fired, why, and which orders made it."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING

from streams.records import Alert, Clause, OrderRef
from streams.stats.buckets import BUCKETS, SPANS
from streams.stats.recent import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.rules.active import Active
    from streams.rules.catalogue import Value
    from streams.rules.condition import Condition
    from streams.rules.facts import Facts
    from streams.rules.interface import Arrival

MAX_ORDERS = 20
"""Orders named in one alert, the tipping one included."""

TRANSITION = "firing"


def _digest(size: int, *parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:size]


def explain(active: Active, subject: str, facts: Facts, arrival: Arrival, topic: str) -> Alert:
    """Return the alert of a rule that fired at this order; `topic` holds the orders."""
    rule, order = active.rule, facts.order
    variables = {variable.name: variable for variable in (*active.condition.variables, *active.template.variables)}
    values = {name: variable.read(facts) for name, variable in variables.items()}
    clauses = [_clause(clause, values) for clause in active.clauses]
    return Alert(
        alert_id=_digest(32, rule.hash, subject, order.event_id, TRANSITION),
        fingerprint=_digest(16, rule.id, subject),
        rule=rule.id,
        rule_hash=rule.hash,
        severity=rule.severity,
        labels=rule.labels,
        scope=rule.scope,
        subject=subject,
        message=active.template.render(values),
        reason="; ".join(map(_reason, clauses)),
        clauses=clauses,
        values=dict(values),
        orders=[
            OrderRef(event_id=order.event_id, topic=topic, partition=arrival.partition, offset=arrival.offset),
            *islice(_earlier(active, facts, arrival, topic), MAX_ORDERS - 1),
        ],
        order_age_s=max(0, facts.clock - order.timestamp * 1_000) / 1_000,
        source=arrival.source,
        as_of=facts.clock,
    )


def _clause(clause: Condition, values: dict[str, Value]) -> Clause:
    operands = {variable.name: values[variable.name] for variable in clause.variables}
    try:
        value = clause.evaluate(values)
    except ArithmeticError:  # where the other side of an || was enough
        value = None
    return Clause(text=clause.text, value=value, operands=dict(operands))


def _reason(clause: Clause) -> str:
    operands = ", ".join(f"{name} = {_shown(value)}" for name, value in clause.operands.items())
    return f"{clause.text} ({operands})" if operands else clause.text


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _earlier(active: Active, facts: Facts, arrival: Arrival, topic: str) -> Iterator[OrderRef]:
    """Yield the remembered orders of the widest window the condition reads, without the tipping one."""
    if active.widest is None:
        return
    width = SPANS[active.widest].width
    oldest = (facts.windows.clock // width - BUCKETS + 1) * width
    for recent in newest_first(facts.recent):
        if recent.offset != arrival.offset and recent.second >= oldest:
            yield OrderRef(event_id=recent.event_id, topic=topic, partition=arrival.partition, offset=recent.offset)
