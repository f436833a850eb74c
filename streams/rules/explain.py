"""Alert records: what fired, escalated or resolved, why, and which orders made it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from streams.records import Alert, Clause, OrderRef, Trade
from streams.rules.identity import digest, fingerprint
from streams.rules.silence import silenced_by
from streams.stats.buckets import BUCKETS, SPANS
from streams.stats.recent import newest_first

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from streams.records import Scalar
    from streams.rules.active import Active
    from streams.rules.catalogue import Value
    from streams.rules.condition import ClauseTree, Condition
    from streams.rules.facts import Facts
    from streams.rules.lifecycle import Told
    from streams.rules.silence import Silence
    from streams.stats.rulestate import Tip

MAX_ORDERS = 20
"""Orders named in one alert, the tipping one included."""

Values = dict[str, "Value"]


class Explainer:
    """Makes alert records; `topic` holds the orders they name."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def alert(self, told: Told, facts: Facts, silences: Sequence[Silence]) -> Alert:
        """Return the record of a transition at the time of the facts."""
        episode, tip, active = told.episode, told.tip, told.active
        alert_id = _alert_id(told, facts.subject)
        values = {} if active is None else _values(active, facts, ended=told.transition == "resolved")
        clauses = [] if active is None else _clauses(_outermost(active.tree), values)
        if told.transition == "firing":
            episode.alert_id = alert_id
        reason = "; ".join(map(_reason, clauses))
        alert = Alert(
            alert_id=alert_id,
            fingerprint=fingerprint(episode.rule, facts.subject, episode.group),
            transition=told.transition,
            episode=episode.alert_id,
            rule=episode.rule,
            rule_hash=episode.rule_hash,
            mode="SHADOW" if episode.shadow else "ACTIVE",
            severity=episode.severity,
            labels=episode.labels,
            scope=facts.scope,
            subject=facts.subject,
            group=episode.group,
            message=_message(told, values, facts),
            reason=f"{told.why}: {reason}" if told.why and reason else told.why or reason,
            clauses=clauses,
            values=dict(values),
            orders=[self._ref(tip), *islice(self._earlier(active, facts, tip), MAX_ORDERS - 1)],
            trade=Trade(
                condition_id=tip.condition_id,
                token_id=tip.token_id,
                outcome=tip.outcome,
                side=tip.side,
                price=tip.price,
            ),
            order_age_s=max(0, facts.clock - tip.timestamp * 1_000) / 1_000,
            source=tip.source,
            coverage="complete" if tip.gap_id is None else "gap",
            gap_id=tip.gap_id,
            starts_at=episode.started,
            ends_at=facts.clock if told.transition == "resolved" or (active is not None and active.momentary) else None,
            as_of=facts.clock,
        )
        marks = silenced_by(silences, alert) if silences else []
        return replace(alert, silenced_by=marks) if marks else alert

    def _ref(self, tip: Tip) -> OrderRef:
        return OrderRef(event_id=tip.event_id, topic=self._topic, partition=tip.partition, offset=tip.offset)

    def _earlier(self, active: Active | None, facts: Facts, tip: Tip) -> Iterator[OrderRef]:
        """Yield the remembered orders of the widest window the condition reads, without the tipping one."""
        if active is None or active.widest is None:
            return
        width = SPANS[active.widest].width
        oldest = (facts.windows.clock // width - BUCKETS + 1) * width
        for recent in newest_first(facts.recent):
            if recent.offset != tip.offset and recent.second >= oldest:
                yield OrderRef(
                    event_id=recent.event_id, topic=self._topic, partition=tip.partition, offset=recent.offset
                )


def _alert_id(told: Told, subject: str) -> str:
    """The same order tips the same alert again, whenever and wherever it is folded."""
    episode = told.episode
    parts = [episode.rule_hash, subject, told.tip.event_id, told.transition, *episode.group.values()]
    return digest(32, *parts, *(["shadow"] if episode.shadow else []))


def _message(told: Told, values: Values, facts: Facts) -> str:
    active, episode = told.active, told.episode
    if told.transition == "resolved" or active is None:
        return f"{episode.rule} is over after {(facts.clock - episode.started) / 1_000:,.0f} s"
    return active.template.render(values)


def _values(active: Active, facts: Facts, *, ended: bool) -> Values:
    """Return what the rule and its message read; at its end the order that tipped it is long gone."""
    conditions = [each for each in (active.condition, active.until, active.escalate) if each is not None]
    read = [variable for condition in conditions for variable in condition.variables]
    variables = {variable.name: variable for variable in (*read, *active.template.variables)}
    return {
        name: variable.read(facts)
        for name, variable in variables.items()
        if not variable.of_order or (facts.order is not None and not ended)
    }


def _outermost(tree: ClauseTree) -> list[ClauseTree]:
    """Return the parts that all have to be true."""
    return tree.parts if tree.operator == "&&" else [tree]


def _clauses(trees: Iterable[ClauseTree], values: Mapping[str, Value]) -> list[Clause]:
    """Return parts with their values, without those that speak of an order which is not at hand."""
    return [
        Clause(
            text=condition.text,
            value=_value(condition, values),
            operands={variable.name: values[variable.name] for variable in condition.variables},
            operator=operator,
            parts=_clauses(parts, values),
        )
        for condition, operator, parts in trees
        if all(variable.name in values for variable in condition.variables)
    ]


def _value(condition: Condition, values: Mapping[str, Value]) -> Scalar:
    try:
        value: Scalar = condition.evaluate(values)
    except ArithmeticError:  # where the other side of an || was enough
        return None
    return value


def _reason(clause: Clause) -> str:
    operands = ", ".join(f"{name} = {_shown(value)}" for name, value in clause.operands.items())
    return f"{clause.text} ({operands})" if operands else clause.text


def _shown(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
