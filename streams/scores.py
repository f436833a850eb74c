"""Running totals per rule, and what is sent of grades and totals. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from connector.contract import codec
from streams.effects import Output
from streams.grades import encode_grade
from streams.stats.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from streams.effects import Topics
    from streams.grades import AlertGrade
    from streams.shards.live import Ahead, Live

SCORE_SCHEMA: Final = 1


class Group(NamedTuple):
    """What is scored together: a rule that was changed is another rule."""

    rule: str
    mode: Literal["ACTIVE", "SHADOW"]
    rule_hash: str
    horizon: str

    @property
    def name(self) -> str:
        """The group in one text; no part holds a `|`."""
        return "|".join(self)


class RuleScore(msgspec.Struct, frozen=True, kw_only=True):
    """
    Value of `rule-scores.v1`: what the grades of one market partition add up to, ever since it was first folded.

    A rule's total is the sum over partitions. Returns are in millionths of the stake.
    """

    schema: Literal[1] = SCORE_SCHEMA
    rule: str
    rule_hash: str
    mode: Literal["ACTIVE", "SHADOW"]
    horizon: str
    partition: int
    """Of `orders-by-market.v1`."""
    as_of: int
    """Unix milliseconds, from the log's clock: grades that were due by then are in."""
    as_of_offset: int
    """Offset in `orders-by-market.v1`: a record with a lower one is older."""
    graded: int
    ungraded: dict[str, int]
    """How many, by reason."""
    positive: int
    """Returns above 0."""
    total: int
    """Sum of returns."""
    squares: float
    """Sum of their squares, for the deviation."""


_decoder = msgspec.json.Decoder(RuleScore)


def decode_score(value: bytes) -> RuleScore:
    """Read a value of `rule-scores.v1`; raises `InvalidRecord` if it is none."""
    return codec.decode(_decoder, value)


def group_of(grade: AlertGrade) -> Group:
    """Return what a grade is scored with."""
    return Group(grade.rule, grade.mode, grade.rule_hash, grade.horizon)


def grade_outputs(
    topics: Topics, grades: Iterable[AlertGrade], ahead: Ahead[Any] | None, admitted_ns: int
) -> Iterator[Output]:
    """Yield the grades that no tick has told since the subject's last order."""
    for grade in grades:
        if ahead is None or grade.grade_id not in ahead.told:
            if ahead is not None:
                ahead.told.add(grade.grade_id)
            headers = [("admitted_ns", b"%d" % admitted_ns)]
            yield Output(topics.alert_grades, grade.rule.encode(), encode_grade(grade), headers)


def score_outputs(topics: Topics, live: Live[Any], grades: Iterable[AlertGrade], offset: int) -> list[Output]:
    """Count grades that a state has settled, at an offset of its partition; return the totals that changed."""
    groups: dict[Group, None] = {}
    for grade in grades:
        group = group_of(grade)
        live.score(group.name).add(grade.gain, grade.reason)
        groups[group] = None
    return [_output(topics, live, group, offset) for group in groups]


def _output(topics: Topics, live: Live[Any], group: Group, offset: int) -> Output:
    tally = live.scores[group.name]
    score = RuleScore(
        rule=group.rule,
        rule_hash=group.rule_hash,
        mode=group.mode,
        horizon=group.horizon,
        partition=live.partition,
        as_of=live.clock,
        as_of_offset=offset,
        graded=tally.graded,
        ungraded=dict(sorted(tally.ungraded.items())),
        positive=tally.positive,
        total=tally.total,
        squares=tally.squares,
    )
    return Output(topics.rule_scores, f"{group.name}|{live.partition}".encode(), codec.encode(score), [])


def total(scores: Iterable[RuleScore]) -> dict[Group, Tally]:
    """Add up the newest records of all partitions, as `scorecard.score` wants them."""
    tallies: dict[Group, Tally] = {}
    for score in scores:
        group = Group(score.rule, score.mode, score.rule_hash, score.horizon)
        tally = Tally(score.graded, score.positive, score.total, score.squares, dict(score.ungraded))
        tallies[group] = tallies.get(group, Tally()) + tally
    return tallies
