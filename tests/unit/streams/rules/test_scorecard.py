from __future__ import annotations

import math
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from streams.grades import AlertGrade, grade_id
from streams.rules.scorecard import FEWEST, Scorecards, as_json, student, table, wilson

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from streams.rules.scorecard import Score


def a_grade(number: int = 0, gain: float | None = 0.1, **fields: Any) -> AlertGrade:
    """Return the grade of alert `number` with this return, or without a fill."""
    horizon = fields.get("horizon", "1h")
    values: dict[str, Any] = {
        "grade_id": grade_id(f"{number:032x}", horizon),
        "alert_id": f"{number:032x}",
        "rule": "r",
        "rule_hash": "0" * 16,
        "mode": "ACTIVE",
        "horizon": horizon,
        "condition_id": "0x" + "1" * 64,
        "token_id": "1",
        "side": "BUY",
        "state": "ungraded" if gain is None else "graded",
        "reason": "no-fill" if gain is None else None,
        "price_then": 0.5,
        "price_now": None,
        "gain": gain,
        "price_source": None,
        "as_of": 0,
        "due": 0,
        **fields,
    }
    return AlertGrade(**values)


def scores_of(grades: Iterable[AlertGrade]) -> list[Score]:
    """Return the scores of grades."""
    cards = Scorecards()
    for each in grades:
        cards.add(each)
    return cards.scores()


def drawn(scores: list[Score]) -> str:
    """Return the table as a wide terminal shows it."""
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table(scores))
    return capture.get()


def test_a_few_grades_make_no_rate() -> None:
    """Nine winners of nine say `too few`, the tenth makes figures of them."""
    grades = [a_grade(number) for number in range(FEWEST)]
    (few,) = scores_of(grades[:-1])
    assert (few.graded, few.mean_return, few.positive) == (FEWEST - 1, None, None)
    assert "too few" in drawn([few])
    assert "%" not in drawn([few]).splitlines()[1]
    (enough,) = scores_of(grades)
    assert enough.mean_return is not None
    assert enough.positive is not None
    assert "too few" not in drawn([enough])
    assert "+10.0%" in drawn([enough])


def test_what_has_no_grade_counts_apart_and_says_why() -> None:
    """Twenty alerts without a price do not make three with one enough."""
    grades = [a_grade(number, None if number < 20 else 0.1) for number in range(23)]
    grades.append(a_grade(99, None, reason="late"))
    (score,) = scores_of(grades)
    assert (score.graded, score.ungraded, score.positive) == (3, {"late": 1, "no-fill": 20}, None)
    assert "1 late, 20 no-fill" in drawn([score])


def test_a_repetition_counts_once() -> None:
    """After a crash grades are told again with the same id."""
    (score,) = scores_of([a_grade(1), a_grade(2), a_grade(1)])
    assert score.graded == 2


def test_versions_modes_and_horizons_are_scored_apart_and_in_order() -> None:
    """A rule that was changed is another rule; the market's end comes after all times."""
    grades = [
        a_grade(number, horizon=horizon, mode=mode, rule_hash=version)
        for number, (horizon, mode, version) in enumerate(
            (
                ("end", "ACTIVE", "a" * 16),
                ("24h", "ACTIVE", "a" * 16),
                ("90s", "ACTIVE", "a" * 16),
                ("1h", "ACTIVE", "a" * 16),
                ("1h", "ACTIVE", "b" * 16),
                ("1h", "SHADOW", "a" * 16),
            )
        )
    ]
    found = [(score.mode, score.rule_hash[0], score.horizon) for score in scores_of(grades)]
    assert found == [
        ("ACTIVE", "a", "90s"),
        ("ACTIVE", "a", "1h"),
        ("ACTIVE", "a", "24h"),
        ("ACTIVE", "a", "end"),
        ("ACTIVE", "b", "1h"),
        ("SHADOW", "a", "1h"),
    ]


@given(
    gains=st.lists(st.integers(-1_000_000, 9_000_000), min_size=FEWEST, max_size=60),
    rng=st.randoms(use_true_random=False),
)
def test_scores_are_those_of_the_textbook_in_whatever_order(gains: list[int], rng: Random) -> None:
    """Mean, its standard error times Student's t, and the share of gains; exactly the same for every order."""
    returns = [gain / 1_000_000 for gain in gains]
    grades = [a_grade(number, gain) for number, gain in enumerate(returns)]
    (score,) = scores_of(grades)
    rng.shuffle(grades)
    assert scores_of(grades) == [score]
    assert score.mean_return is not None
    assert score.positive is not None
    assert score.mean_return.value == pytest.approx(fmean(returns), abs=1e-9)
    margin = student(len(returns) - 1) * stdev(returns) / math.sqrt(len(returns))
    assert score.mean_return.high - score.mean_return.value == pytest.approx(margin, abs=1e-6)
    assert score.mean_return.value - score.mean_return.low == pytest.approx(margin, abs=1e-6)
    assert score.positive.value == sum(gain > 0 for gain in returns) / len(returns)


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)],
)
def test_wilson_is_as_published(successes: int, count: int, low: float, high: float) -> None:
    """The last two are method 3 in Newcombe (1998), table I; none leaves 0 to 1."""
    interval = wilson(successes, count)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
    assert interval.value == successes / count


@pytest.mark.parametrize(("freedom", "quantile"), [(9, 2.262), (10, 2.228), (20, 2.086), (60, 2.000), (10_000, 1.960)])
def test_student_is_as_in_the_tables(freedom: int, quantile: float) -> None:
    """Three digits are enough for an interval."""
    assert student(freedom) == pytest.approx(quantile, abs=6e-4)


def test_programs_get_null_where_people_get_too_few() -> None:
    """JSON names all fields, and no number that means nothing."""
    ((score,), (told,)) = (scores_of([a_grade()]),) * 2
    assert msgspec.json.decode(as_json([score])) == [
        {
            "rule": told.rule,
            "rule_hash": told.rule_hash,
            "mode": "ACTIVE",
            "horizon": "1h",
            "graded": 1,
            "ungraded": {},
            "mean_return": None,
            "positive": None,
        }
    ]
