"""The watch-list for people. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from connector.texts import age, plain, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.contract.coverage import CoverageRecord
    from connector.watch.listed import Row

FULL_WIDTH: Final = 170
"""Columns of a terminal that has room for whole addresses."""

_STYLES = {"live": "green", "down": "yellow", "no-room": "bold red", "refused": "bold red"}
_HEADS = ("wallet", "label", "owner", "standing", "subscription", "live since", "covered", "verified", "open gap")


def table(rows: Sequence[Row], *, now_ms: int, width: int) -> Table:
    """Return the table; times are how long ago something was."""
    drawn = Table(title=_title(rows, now_ms), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for head in (*_HEADS, "last order"):
        drawn.add_column(head, no_wrap=True, overflow="ellipsis")
    for row in rows:
        wallet = row.wallet if width >= FULL_WIDTH else short(row.wallet)
        drawn.add_row(wallet, _label(row), *_covered(row, now_ms))
    return drawn


def _title(rows: Sequence[Row], now_ms: int) -> str:
    standings = Counter(_standing(row, now_ms) for row in rows)
    counts = ", ".join(f"{count} {standing}" for standing, count in standings.most_common())
    return f"{len(rows)} wallet{'' if len(rows) == 1 else 's'}" + (f": {counts}" if rows else "")


def _standing(row: Row, now_ms: int) -> str:
    if row.coverage is None:
        return "waiting"
    return "silent" if row.stale(now_ms) else row.coverage.standing


def _label(row: Row) -> Text:
    if row.watch is None:
        return Text("(by settings)", "dim")
    return Text(plain(row.watch.label or ""))


def _covered(row: Row, now_ms: int) -> list[Text]:
    coverage, standing = row.coverage, _standing(row, now_ms)
    if coverage is None:
        return [Text(""), Text("waiting", "yellow"), *[Text("")] * 6]
    if standing == "silent":
        said = Text(f"silent for {age(now_ms - coverage.at_ms)}, was {coverage.standing}", "bold red")
    else:
        said = Text(standing, _STYLES[standing])
    times = (coverage.live_since_ms, coverage.covered_until_ms, coverage.verified_until_ms)
    return [
        Text(plain(coverage.owner)),
        said,
        Text(plain(coverage.subscription or "")),
        *(_ago(at, now_ms) for at in times),
        _gap(coverage, now_ms),
        _ago(coverage.last_order_ms, now_ms),
    ]


def _ago(at_ms: int | None, now_ms: int) -> Text:
    return Text("") if at_ms is None else Text(f"{age(now_ms - at_ms)} ago")


def _gap(coverage: CoverageRecord, now_ms: int) -> Text:
    gap = coverage.gap
    if gap is None:
        return Text("")
    return Text(f"{gap.cause}, {age(now_ms - gap.start_ms)}, {gap.recovered} recovered", "yellow")
