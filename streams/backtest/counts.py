"""What became of each rule in a replay, counted alert by alert."""

from __future__ import annotations

from array import array
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from streams.rules.scorecard import Score  # field of a struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.records import Alert, Scope
    from streams.rules.rule import Mode, Rule


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    rule: str
    rule_hash: str
    scope: str
    mode: str
    fired: int
    escalated: int
    resolved: int
    going_on: int
    """Alerts that fired and were not over at the end."""
    median_duration_s: float | None
    """Of the alerts that were over, seconds; None: there are none, or they are over at once, being about one order."""
    subjects: int
    """Wallets or markets that it fired about."""
    grades: list[Score] = []
    """What the price did after its alerts, by horizon, the shortest first."""


class _Tally:
    """Counts of one rule."""

    def __init__(self) -> None:
        self.fired = self.escalated = self.resolved = self.lasting = 0
        self.durations_ms = array("q")
        self.subjects: set[str] = set()

    def take(self, alert: Alert) -> None:
        if alert.transition == "escalated":
            self.escalated += 1
        elif alert.transition == "firing":
            self.fired += 1
            self.lasting += alert.ends_at is None
            self.subjects.add(alert.subject)
        else:
            self.resolved += 1
            self.durations_ms.append((alert.ends_at or alert.as_of) - alert.starts_at)


class Counts:
    """Counts alerts by rule; besides the counts it keeps each rule's subjects, and 8 bytes of each alert's duration."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, tuple[str, Scope, Mode]] = {}
        self._tallies: dict[str, _Tally] = {}
        for rule in rules:
            self._rules[rule.id] = (rule.hash, rule.scope, rule.mode)
            self._tallies[rule.id] = _Tally()

    def take(self, alert: Alert) -> None:
        """Count an alert of one of the rules."""
        self._tallies[alert.rule].take(alert)

    def rows(self, scores: Iterable[Score]) -> list[Row]:
        """Return a row per rule, in the order of the rules, with its scores."""
        graded: dict[str, list[Score]] = {}
        for score in scores:
            graded.setdefault(score.rule, []).append(score)
        return [self._row(rule, self._tallies[rule], graded.get(rule, [])) for rule in self._rules]

    def _row(self, rule: str, tally: _Tally, grades: list[Score]) -> Row:
        rule_hash, scope, mode = self._rules[rule]
        return Row(
            rule=rule,
            rule_hash=rule_hash,
            scope=scope,
            mode=mode,
            fired=tally.fired,
            escalated=tally.escalated,
            resolved=tally.resolved,
            going_on=tally.lasting - tally.resolved,
            median_duration_s=median(tally.durations_ms) / 1_000 if tally.durations_ms else None,
            subjects=len(tally.subjects),
            grades=grades,
        )
