"""The verdict as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

from tests.chaos.repairs import OTHER, Caused
from tests.chaos.schedule import KINDS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tests.chaos.evidence import Evidence
    from tests.chaos.verdict import Verdict

_SHOWN = 40


def tables(verdict: Verdict, evidence: Evidence) -> Group:
    """Return the table of faults, the totals, and what is wrong."""
    parts: list[RenderableType] = [_faults(verdict, evidence.struck), _totals(verdict)]
    parts += [f"promised duplicate: {line}" for line in verdict.promised_duplicates[:_SHOWN]]
    parts += [f"WRONG {line}" for line in verdict.faults[:_SHOWN]]
    if len(verdict.faults) > _SHOWN:
        parts.append(f"... and {len(verdict.faults) - _SHOWN} more")
    return Group(*parts)


def _faults(verdict: Verdict, struck: dict[str, int]) -> Table:
    table = Table(title="Faults, and what was put down to them", title_justify="left")
    for column in ("fault", "struck", "gaps", "recovered", "known rows", "dead letters", "longest repair, s"):
        table.add_column(column, justify="left" if column == "fault" else "right")
    by_kind = verdict.repairs.by_kind
    for kind in (*KINDS, "exit", OTHER):
        caused = by_kind.get(kind, Caused())
        if kind in by_kind or kind in struck:
            table.add_row(
                kind,
                str(struck.get(kind, "")),
                str(caused.gaps),
                str(caused.recovered),
                str(caused.duplicates),
                str(caused.dead),
                f"{caused.longest_repair_ms / 1_000:.1f}",
            )
    return table


def _totals(verdict: Verdict) -> Table:
    repairs = verdict.repairs
    table = Table(title="Ledger", title_justify="left", show_header=False)
    for name, value in (
        ("orders executed / owed", f"{verdict.executed} / {verdict.owed}"),
        ("orders published, by repair", f"{verdict.published}, {verdict.recovered}"),
        ("lost", len(verdict.lost)),
        ("withheld by REST: on record / nobody can know", f"{verdict.unrecoverable} / {verdict.undetectable}"),
        (
            "duplicates: within one owner / as promised",
            f"{len(verdict.duplicates)} / {len(verdict.promised_duplicates)}",
        ),
        ("never executed", len(verdict.foreign)),
        ("handovers, unclean", f"{verdict.handovers}, {verdict.unclean_handovers}"),
        (
            "gaps: closed / unrecoverable / ended with the watch / open",
            f"{repairs.closed} / {repairs.unrecoverable} / {repairs.ended_with_watch} / {len(repairs.left_open)}",
        ),
        ("gaps by cause", ", ".join(f"{cause} {count}" for cause, count in sorted(repairs.by_cause.items()))),
        (
            "longest gap / repair after its end, s",
            f"{repairs.longest_gap_ms / 1e3:.1f} / {repairs.longest_repair_ms / 1e3:.1f}",
        ),
        (
            "live orders out of order: unexplained / by handover",
            f"{len(verdict.disordered)} / {verdict.explained_disorder}",
        ),
        ("statistics and alerts wrong", len(verdict.statistics)),
        ("replicas that ended by themselves", len(verdict.exits)),
        ("wallets not settled at the end", len(verdict.unsettled)),
    ):
        table.add_row(name, str(value))
    return table
