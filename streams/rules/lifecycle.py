"""
The life of an alert, one rule and one subject (or group) at a time.

    idle --true at an order--> pending --true for `for`--> firing --not holding for `keep_firing_for`--> idle
                                  |                          |
                                  +--false--> idle           +--`escalate` higher than ever--> told again

An alert begins at an order, the one that tips it; it may fire, and ends, between orders too, when a deadline comes or
statistics decay. These are the words of Prometheus; it differs where orders differ from samples:

- A rule that speaks of the order at hand (`Variable.of_order`) is true only at that order. Its alert is over at once,
  unless `keep_firing_for` or `until` says otherwise; an order that matches meanwhile prolongs it.
- An order older than `max_age` tips, prolongs and escalates nothing. One is held back within `cooldown` of the last
  firing, and while the subject is younger than `warmup`. Holding back uses nothing up: what is still true at the next
  order fires there.
- Pending is not told to anybody.

Times are the clock's, milliseconds of the log: the same log, the same alerts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from streams.stats.rulestate import FIRING, IDLE, PENDING, Episode, RuleState

if TYPE_CHECKING:
    from streams.rules.active import Active
    from streams.rules.rule import Rule
    from streams.stats.rulestate import Tip

LONGEST_MS = 30 * 86_400_000
"""An alert goes on for no longer; states of idle subjects are kept a little longer than that."""

Transition = Literal["firing", "escalated", "resolved"]
Truth = bool | None
"""None: the expression had no value, which changes nothing."""


class Told(NamedTuple):
    """A transition that is told, and what it is about."""

    transition: Transition
    episode: Episode
    at: int
    active: Active | None
    """None: the rule is gone."""
    tip: Tip
    """Of an escalation, the order that brought it; otherwise the one that tipped the alert."""
    why: str = ""
    """Why it resolved."""


def may_begin(state: RuleState | None, rule: Rule, *, at: int, watched_ms: int) -> bool:
    """Return whether an order may tip an idle rule about a subject that is watched for `watched_ms`."""
    return (state is None or at - state.fired >= rule.cooldown_ms) and watched_ms >= rule.warmup_ms


def begin(state: RuleState, active: Active, episode: Episode, *, at: int, level: int | None) -> Told | None:
    """Let an order tip an idle rule."""
    state.episode, state.phase, state.since, state.level = episode, PENDING, at, level
    return None if active.rule.for_ms else _fire(state, active, at)


def again(state: RuleState, active: Active, tip: Tip, *, at: int, level: int | None) -> Told | None:
    """Take another order at which a rule is true; it says nothing new of one that is pending."""
    if state.phase != FIRING or state.episode is None:
        return None
    if active.of_order and active.until is None:
        state.since = at
    if level is None or (state.level is not None and level <= state.level):
        return None
    state.level = level
    return Told("escalated", state.episode, at, active, tip)


def look(state: RuleState, active: Active, *, holds: Truth, at: int) -> Told | None:
    """Look at a pending or firing rule at a time; `holds` is the truth of what keeps it up."""
    if state.phase == PENDING:
        if holds is False:
            end(state)
        elif at >= state.since + active.rule.for_ms:
            return _fire(state, active, at)
        return None
    if state.phase == FIRING and state.episode is not None:
        why = _ended(state, state.episode, active, holds=holds, at=at)
        return None if why is None else resolve(state, active, at, why)
    return None


def _ended(state: RuleState, episode: Episode, active: Active, *, holds: Truth, at: int) -> str | None:
    """Return why a firing rule is over; None: it is not."""
    if holds:
        state.since = 0
    elif holds is False and not state.since:
        state.since = at
    if at >= episode.started + LONGEST_MS:
        return "it went on for 30 days"
    return _over(active) if state.since and at >= state.since + active.rule.keep_firing_for_ms else None


def resolve(state: RuleState, active: Active | None, at: int, why: str) -> Told | None:
    """End a rule's alert; None where nothing was told of it."""
    episode = state.episode
    told = state.phase == FIRING and episode is not None
    end(state)
    return Told("resolved", episode, at, active, episode.tip, why) if told and episode is not None else None


def end(state: RuleState) -> None:
    """Make a rule idle."""
    state.phase, state.since, state.level, state.episode = IDLE, 0, None, None


def timer(state: RuleState, active: Active) -> int | None:
    """Return when to look at a rule even if nothing changes."""
    if state.phase == PENDING:
        return state.since + active.rule.for_ms
    if state.phase == FIRING and state.episode is not None:
        longest = state.episode.started + LONGEST_MS
        return min(longest, state.since + active.rule.keep_firing_for_ms) if state.since else longest
    return None


def _over(active: Active) -> str:
    if active.until is not None:
        return f"until {active.until.text}"
    return "no order matches any more" if active.of_order else "it holds no longer"


def _fire(state: RuleState, active: Active, at: int) -> Told | None:
    episode = state.episode
    if episode is None:
        return None
    episode.started = state.fired = at
    told = Told("firing", episode, at, active, episode.tip)
    if active.momentary:
        end(state)
    else:
        state.phase, state.since = FIRING, at if active.of_order and active.until is None else 0
    return told
