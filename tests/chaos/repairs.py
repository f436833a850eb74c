"""What became of the gaps, and which fault each is put down to. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from connector.contract.gap import GapRecord
    from tests.chaos.evidence import Evidence

_RECENT_MS = 45_000
"""A gap is noticed at most so long after its fault: idle timeout, session timeout, routine comparison."""

_DISCONNECTS = ("drop", "half_open", "refuse", "lose_ack", "delay_ack", "early_event", "error", "slow_connection")
_HANDOVERS = ("replica_kill", "replica_term", "replica_stop", "broker_kill", "broker_stop", "slow_broker", "exit")
_UNREADABLE = ("garble", "truncate", "frame")
_PLAUSIBLE: dict[str, tuple[str, ...]] = {
    "added": ("watch_churn",),
    "start": _HANDOVERS,
    "handover": _HANDOVERS,
    "stale-checkpoint": _HANDOVERS,
    "disconnect": (*_DISCONNECTS, "replica_stop", "broker_kill", "broker_stop", "frame"),
    "silence": ("half_open", "replica_stop"),
    "stall": ("replica_stop", "slow_broker", "broker_kill", "broker_stop", "burst"),
    "refused": ("error", "refuse", "lose_ack", "delay_ack"),
    "resubscribed": ("watch_churn", "error", *_HANDOVERS),
    "bad-frame": _UNREADABLE,
    "twin": ("no_indexes", "duplicate", "empty_metadata"),
    "old-order": ("delay_event", "slow_connection", "replica_stop", "duplicate"),
    "silent-loss": ("lose_event", "delay_event", "slow_connection", "reorder", "replica_stop"),
}
OTHER = "(no fault)"


class Caused(msgspec.Struct):
    """What one kind of fault caused."""

    gaps: int = 0
    recovered: int = 0
    duplicates: int = 0
    dead: int = 0
    longest_repair_ms: int = 0


class Repairs(msgspec.Struct, kw_only=True):
    """All gaps of a run."""

    by_kind: dict[str, Caused]
    by_cause: dict[str, int]
    gaps: int
    closed: int
    unrecoverable: int
    ended_with_watch: int
    """Still open when their wallet was removed from the watch-list."""
    left_open: list[str]
    longest_gap_ms: int
    longest_repair_ms: int
    """From the end of a gap to the report that it is closed."""


def repairs(evidence: Evidence) -> Repairs:
    """Summarize the gaps and dead letters."""
    first: dict[str, GapRecord] = {}
    last: dict[str, GapRecord] = {}
    for gap in evidence.gaps:
        first.setdefault(gap.gap_id, gap)
        last[gap.gap_id] = gap
    by_kind: dict[str, Caused] = {}
    for gap_id, gap in last.items():
        caused = by_kind.setdefault(_kind(evidence, first[gap_id]), Caused())
        caused.gaps += 1
        caused.recovered += gap.recovered
        caused.duplicates += gap.duplicates
        caused.longest_repair_ms = max(caused.longest_repair_ms, _repair_ms(gap))
    for letter in evidence.dead:
        by_kind.setdefault(_latest(evidence, _UNREADABLE, letter.received_ns // 1_000_000), Caused()).dead += 1
    open_now = [gap for gap in last.values() if gap.state not in {"closed", "unrecoverable"}]
    unwatched = _unwatched(evidence)
    return Repairs(
        by_kind=by_kind,
        by_cause=dict(Counter(gap.cause for gap in last.values())),
        gaps=len(last),
        closed=sum(gap.state == "closed" for gap in last.values()),
        unrecoverable=sum(gap.state == "unrecoverable" for gap in last.values()),
        ended_with_watch=sum(gap.wallet in unwatched for gap in open_now),
        left_open=[_line(gap) for gap in open_now if gap.wallet not in unwatched],
        longest_gap_ms=max((gap.end_ms - gap.start_ms for gap in last.values() if gap.end_ms), default=0),
        longest_repair_ms=max(map(_repair_ms, last.values()), default=0),
    )


def _repair_ms(gap: GapRecord) -> int:
    return gap.at_ms - gap.end_ms if gap.state == "closed" and gap.end_ms is not None else 0


def _unwatched(evidence: Evidence) -> set[str]:
    """Return the wallets that had been removed at some time: their gaps may end without a report."""
    return {watch.wallet for watch in evidence.watches if watch.removed_ms is not None}


def _line(gap: GapRecord) -> str:
    return f"{gap.gap_id} of {gap.wallet}: {gap.cause} {gap.state} since {gap.start_ms}, owner {gap.owner}"


def _kind(evidence: Evidence, gap: GapRecord) -> str:
    return _latest(evidence, _PLAUSIBLE[gap.cause], gap.at_ms)


def _latest(evidence: Evidence, kinds: tuple[str, ...], at_ms: int) -> str:
    """Return the plausible kind of fault that struck last before a time, if it was not too long ago."""
    begun = [
        (event.begin_ms, event.kind)
        for event in evidence.events
        if event.kind in kinds and event.begin_ms <= at_ms + 1_000 and event.end_ms >= at_ms - _RECENT_MS
    ]
    return max(begun)[1] if begun else OTHER
