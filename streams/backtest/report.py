"""A backtest for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from rich.table import Table

from streams.rules.scorecard import TOO_FEW
from streams.texts import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.backtest.counts import Row
    from streams.difference import Difference
    from streams.replay import Totals


class Column(NamedTuple):
    """One column of the table of rules."""

    head: str
    cell: Callable[[Row], str]
    numeric: bool = True


def duration(seconds: float | None) -> str:
    """Return seconds for people."""
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def _lasted(row: Row) -> str:
    at_once = row.fired > 0 and row.median_duration_s is None and not row.going_on
    return "at once" if at_once else duration(row.median_duration_s)


def _grade(row: Row) -> str:
    """Return the mean return at the shortest horizon at which enough alerts are graded."""
    score = next((each for each in row.grades if each.mean_return is not None), None)
    if score is None or score.mean_return is None:
        return TOO_FEW if row.grades else "-"
    mean = score.mean_return
    return f"{mean.value:+.1%} ({mean.low:+.1%} to {mean.high:+.1%}) after {score.horizon}"


COLUMNS: Final[tuple[Column, ...]] = (
    Column("rule", lambda row: row.rule, numeric=False),
    Column("scope", lambda row: row.scope, numeric=False),
    Column("mode", lambda row: row.mode, numeric=False),
    Column("fired", lambda row: f"{row.fired:,}"),
    Column("escalated", lambda row: f"{row.escalated:,}"),
    Column("resolved", lambda row: f"{row.resolved:,}"),
    Column("going on", lambda row: f"{row.going_on:,}"),
    Column("median duration", _lasted),
    Column("subjects", lambda row: f"{row.subjects:,}"),
    Column("grade: mean return", _grade),
)

_COMPARED: Final = ("fired", "escalated", "resolved", "subjects")


def table(rows: Sequence[Row], columns: Sequence[Column] = COLUMNS) -> Table:
    """Return a line per rule."""
    drawn = _table()
    for column in columns:
        drawn.add_column(column.head, justify="right" if column.numeric else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*(column.cell(row) for column in columns))
    return drawn


class Pair(NamedTuple):
    """A rule in two rules files; None where one of them has none of this id."""

    rule: str
    one: Row | None
    other: Row | None
    alerts: Difference


def pairs(one: Sequence[Row], other: Sequence[Row], begun: Callable[[str], Difference]) -> list[Pair]:
    """Return the rules of both files by id, those of the first one first; `begun` compares a rule's alerts."""
    firsts, seconds = {row.rule: row for row in one}, {row.rule: row for row in other}
    return [Pair(rule, firsts.get(rule), seconds.get(rule), begun(rule)) for rule in {**firsts, **seconds}]


def comparison(compared: Sequence[Pair]) -> Table:
    """Return a line per rule with both versions side by side."""
    drawn = _table()
    drawn.add_column("rule", no_wrap=True)
    for head in (*_COMPARED, "median duration", "in both", "only first", "only other"):
        drawn.add_column(head, justify="right", no_wrap=True)
    for pair in compared:
        cells = [_change(pair, name) for name in _COMPARED]
        durations = (_duration_of(pair.one), _duration_of(pair.other))
        cells.append(durations[0] if durations[0] == durations[1] else " -> ".join(durations))
        drawn.add_row(pair.rule + _unlike(pair), *cells, *(f"{count:,}" for count in pair.alerts))
    return drawn


def _unlike(pair: Pair) -> str:
    if pair.one is None or pair.other is None:
        return " (only other)" if pair.one is None else " (only first)"
    return "" if pair.one.rule_hash == pair.other.rule_hash else " (changed)"


def _change(pair: Pair, name: str) -> str:
    one, other = (0 if row is None else getattr(row, name) for row in (pair.one, pair.other))
    return f"{one:,}" if one == other else f"{one:,} -> {other:,} ({other - one:+,})"


def _duration_of(row: Row | None) -> str:
    return "-" if row is None else _lasted(row)


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="bold")


def heading(totals: Totals, until_ms: int | None) -> str:
    """Return a sentence about what was replayed."""
    if totals.first is None or totals.last is None:
        return "no orders"
    said = f"{totals.orders:,} orders appended {instant(totals.first)} to {instant(totals.last)}"
    if totals.by_market:
        said += f", {totals.by_market:,} by market"
    if totals.duplicates:
        said += f", {totals.duplicates:,} of them twice"
    if totals.dead:
        kinds = ", ".join(f"{count:,} {reason}" for reason, count in totals.dead.most_common(5))
        said += f", {totals.dead.total():,} dead letters ({kinds})"
    return said + f"; {totals.alerts:,} alerts up to {instant(totals.last if until_ms is None else until_ms)}"


def behind(totals: Totals, topic: str) -> list[str]:
    """Return a remark where the topic of orders by market holds less than the orders that go there."""
    lacking = totals.forwarded - totals.by_market
    if lacking <= 0:
        return []
    why = "its worker is behind, or retention took them"
    return [f"{topic} lacks {lacking:,} of {totals.forwarded:,} orders ({why}): market alerts are of what it holds"]


def as_json(totals: Totals, rows: Sequence[Row], *, notes: Sequence[str], until_ms: int | None) -> dict[str, Any]:
    """Return the same for programs; times are unix milliseconds."""
    return {
        "orders": totals.orders,
        "by_market": totals.by_market,
        "duplicates": totals.duplicates,
        "dead": dict(totals.dead),
        "alerts": totals.alerts,
        "first": totals.first,
        "last": totals.last,
        "until": until_ms,
        "notes": list(notes),
        "rules": msgspec.to_builtins(list(rows)),
    }


def compared_json(compared: Sequence[Pair]) -> list[dict[str, Any]]:
    """Return the comparison for programs."""
    return [
        {
            "rule": pair.rule,
            "first": msgspec.to_builtins(pair.one),
            "other": msgspec.to_builtins(pair.other),
            "alerts": pair.alerts._asdict(),
        }
        for pair in compared
    ]
