"""
Editions: which rules and silences are in force when, by the log's clock.

A change of rules takes effect at a time of the log, not when somebody hears of it: all workers change over at the same
order of a partition, and whoever folds these orders again changes over there too.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from streams.records import Scope
from streams.rules.ruleset import RuleSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.rules.active import Active
    from streams.rules.rule import Rule
    from streams.rules.silence import Silence

_SCOPES: Final[tuple[Scope, ...]] = ("wallet", "market")
_KEPT = 1_000
"""Editions kept; orders older than the oldest of them are folded with it."""


class Sets(dict[Scope, RuleSet]):
    """The sets of an edition, each compiled when it is asked for: of most of a long log nobody asks."""

    def __init__(self, rules: Sequence[Active], before: Sets | None = None) -> None:
        super().__init__()
        self.rules: dict[Scope, list[Active]] = {
            scope: [active for active in rules if active.rule.scope == scope] for scope in _SCOPES
        }
        if before is not None:
            self.update({scope: made for scope, made in before.items() if before.rules[scope] == self.rules[scope]})

    def __missing__(self, scope: Scope) -> RuleSet:
        made = self[scope] = RuleSet(scope, self.rules[scope])
        return made

    def prepare(self) -> None:
        """Compile all of them now."""
        for scope in _SCOPES:
            _ = self[scope]


class Edition(NamedTuple):
    """What is in force from a time on."""

    since: int
    """Milliseconds of the log's clock."""
    sets: Sets
    silences: Sequence[Silence]
    rules: tuple[Rule, ...]


def edition(
    since: int, rules: Sequence[Active], silences: Sequence[Silence] = (), *, before: Edition | None = None
) -> Edition:
    """Return an edition of rules with unique ids and modes; what is as in the one before is not compiled again."""
    sets = Sets(rules, None if before is None else before.sets)
    return Edition(since, sets, silences, tuple(active.rule for active in rules))


class Editions:
    """All editions known, by time; there is always one."""

    def __init__(self, first: Edition) -> None:
        self._editions = [first]
        self._times = [first.since]
        self.version = 0
        """Grows with every change."""

    def add(self, new: Edition) -> None:
        """Take an edition that is not older than those known."""
        since = max(new.since, self._times[-1])
        self._editions.append(new._replace(since=since))
        self._times.append(since)
        del self._editions[:-_KEPT], self._times[:-_KEPT]
        self.version += 1

    @property
    def latest(self) -> Edition:
        """The newest edition."""
        return self._editions[-1]

    def at(self, clock: int) -> Edition:
        """Return the edition in force at a time."""
        if clock >= self._times[-1]:
            return self._editions[-1]
        return self._editions[max(bisect_right(self._times, clock) - 1, 0)]

    def next_after(self, clock: int) -> int | None:
        """Return when the next one takes effect."""
        place = bisect_right(self._times, clock)
        return self._times[place] if place < len(self._times) else None
