"""What an order, or time, does to the rules about one subject, a wallet or a market."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from streams.rules import lifecycle
from streams.rules.identity import digest
from streams.rules.ruleset import evaluate, truth
from streams.stats.rulestate import FIRING, IDLE, PENDING, Episode, Memory, RuleState, Tip

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.rules.active import Active
    from streams.rules.facts import Facts
    from streams.rules.interface import Arrival, Errors
    from streams.rules.lifecycle import Told, Truth

MOST_GROUPS = 64
"""Groups of one rule that are remembered per subject; beyond, the one that fired longest ago makes room."""

CROWDED = f"more than {MOST_GROUPS} groups, this one fired longest ago"


class State(Protocol):
    """What the engine reads and changes of a subject's state."""

    rules: Memory
    first_seen: int
    """Second of the log's clock."""

    clock: int
    """Milliseconds of the log's clock that it was advanced to."""

    def advance(self, clock: int) -> bool:
        """Let statistics decay to `clock` (ms)."""

    def next_change(self, at: int) -> int | None:
        """Return when statistics change next by themselves."""


def take(active: Active, state: State, facts: Facts, tip: Tip, errors: Errors) -> list[Told]:
    """Take an order at which a rule is true."""
    rule, clock = active.rule, facts.clock
    group = {name: str(active.groups[name].read(facts)) for name in rule.group_by}
    key = _key(rule.number, group)
    known = state.rules.get(key)
    if clock - tip.timestamp * 1_000 > rule.max_age_ms:
        return []
    if known is not None and known.phase != IDLE:
        return _told(lifecycle.again(known, active, tip, at=clock, level=_level(active, facts, errors)))
    if not lifecycle.may_begin(known, rule, at=clock, watched_ms=clock - state.first_seen * 1_000):
        return []
    gone = _told(_make_room(state.rules, active, clock)) if known is None and group else []
    known = state.rules.setdefault(key, RuleState(rule.number))
    episode = Episode(rule.id, rule.hash, rule.severity, rule.is_shadow, rule.labels, group, tip)
    begun = lifecycle.begin(known, active, episode, at=clock, level=_level(active, facts, errors))
    return gone + _told(begun)


def _told(told: Told | None) -> list[Told]:
    return [] if told is None else [told]


def _level(active: Active, facts: Facts, errors: Errors) -> int | None:
    return None if active.escalate is None else evaluate(active, active.escalate, facts, errors)


def holds(state: RuleState, active: Active, facts: Facts, errors: Errors) -> Truth:
    """Return the truth of what keeps a rule pending or firing."""
    if state.phase == FIRING and active.until is not None:
        ended = truth(active, active.until, facts, errors)
        return None if ended is None else not ended
    return False if active.of_order else truth(active, active.condition, facts, errors)


def follows_statistics(state: RuleState, active: Active) -> bool:
    """Return whether a rule has to be looked at whenever statistics change."""
    return state.phase == PENDING or active.until is not None or not active.of_order


def _make_room(memory: Memory, active: Active, at: int) -> Told | None:
    """Make room for one more group of a rule, ending what fired longest ago."""
    groups = [(state.fired, key) for key, state in memory.items() if state.rule == active.rule.number]
    return lifecycle.resolve(memory.pop(min(groups)[1]), active, at, CROWDED) if len(groups) >= MOST_GROUPS else None


def _key(number: int, group: dict[str, str]) -> int:
    return int(digest(16, str(number), *group.values()), 16) if group else number


def tip_of(order: OrderRecord, arrival: Arrival) -> Tip:
    """Return what alerts repeat of an order."""
    return Tip(
        order.event_id,
        arrival.partition,
        arrival.offset,
        order.timestamp,
        arrival.source,
        arrival.gap_id,
        order.condition_id,
        order.token_id,
        order.token_label,
        order.side,
        order.price,
    )
