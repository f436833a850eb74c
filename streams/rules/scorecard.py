"""
Scorecards: what the grades of a rule say, per version, mode and horizon, and how sure that is. Pure.

Both intervals take grades as independent. Alerts about the same market at about the same time are not, so where a rule
tells many of those, the truth is less sure than the interval.
"""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import msgspec
from rich.table import Table
from rich.text import Text

from streams.grader import END, parse_horizons
from streams.scores import group_of
from streams.stats.tally import MICROS, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.grades import AlertGrade
    from streams.scores import Group

FEWEST = 10
"""Grades without which no mean and no share is told."""

TOO_FEW = "too few"

_CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate and the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a rule in one mode at one horizon."""

    rule: str
    rule_hash: str
    mode: Literal["ACTIVE", "SHADOW"]
    horizon: str
    graded: int
    ungraded: dict[str, int]
    """How many, by reason."""
    mean_return: Interval | None
    """Per USDC; None: fewer than `FEWEST` are graded. Like `positive`."""
    positive: Interval | None
    """Share of returns above 0."""


class Scorecards:
    """Takes grades as they lie in `alert-grades.v1`; a repetition counts once."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._tallies: defaultdict[Group, Tally] = defaultdict(Tally)

    def add(self, grade: AlertGrade) -> None:
        """Count a grade whose id was not seen before."""
        packed = bytes.fromhex(grade.grade_id)
        if packed not in self._known:
            self._known.add(packed)
            self._tallies[group_of(grade)].add(grade.gain, grade.reason)

    def scores(self) -> list[Score]:
        """Return the scores by rule, mode, version, and horizon, the shortest first and the market's end last."""
        return [score(group, self._tallies[group]) for group in sorted(self._tallies, key=_place)]


def score(group: Group, tally: Tally) -> Score:
    """Return what the sums of a group say."""
    enough = tally.graded >= FEWEST
    return Score(
        rule=group.rule,
        rule_hash=group.rule_hash,
        mode=group.mode,
        horizon=group.horizon,
        graded=tally.graded,
        ungraded=dict(sorted(tally.ungraded.items())),
        mean_return=_mean_return(tally) if enough else None,
        positive=wilson(tally.positive, tally.graded) if enough else None,
    )


def _mean_return(tally: Tally) -> Interval:
    """Return the mean with Student's interval."""
    count = tally.graded
    mean = tally.total / count
    variance = max(0.0, (tally.squares - tally.total * mean) / (count - 1))
    margin = student(count - 1) * math.sqrt(variance / count)
    return Interval(value=mean / MICROS, low=(mean - margin) / MICROS, high=(mean + margin) / MICROS)


def wilson(successes: int, count: int) -> Interval:
    """
    Return a share with its score interval, which stays within 0 and 1 and holds for small counts.

    Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference", JASA 22, 209-212.
    """
    share, square = successes / count, _Z * _Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    margin = _Z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return Interval(value=share, low=max(0.0, middle - margin), high=min(1.0, middle + margin))


def student(freedom: int) -> float:
    """
    Return the 97.5 % quantile of Student's t, to three digits from 9 degrees of freedom on.

    Abramowitz and Stegun (1964), "Handbook of Mathematical Functions", 26.7.5.
    """
    z = _Z
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return math.fsum(term / freedom**power for power, term in enumerate(terms))


def table(scores: Iterable[Score]) -> Table:
    """Return the scores for people."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("rule", "version", "mode", "after"):
        drawn.add_column(head, no_wrap=True)
    for head in ("graded", "ungraded", "mean return, 95 % interval", "positive, 95 % interval"):
        drawn.add_column(head, justify="right")
    for each in scores:
        ungraded = ", ".join(f"{count} {reason}" for reason, count in each.ungraded.items()) or "0"
        texts = (each.rule, each.rule_hash[:8], each.mode, each.horizon, str(each.graded), ungraded)
        mean, share = _shown(each.mean_return, "+.1%"), _shown(each.positive, ".0%")
        drawn.add_row(*(Text(text) for text in (*texts, mean, share)))
    return drawn


def as_json(scores: Iterable[Score]) -> bytes:
    """Return the scores for programs."""
    return msgspec.json.format(msgspec.json.encode(list(scores)), indent=2)


def _shown(interval: Interval | None, form: str) -> str:
    if interval is None:
        return TOO_FEW
    return f"{interval.value:{form}}  {interval.low:{form}} to {interval.high:{form}}"


def _place(group: Group) -> tuple[str, str, str, float]:
    after = math.inf if group.horizon == END else parse_horizons(group.horizon)[0].after_ms
    return group.rule, group.mode, group.rule_hash, after
