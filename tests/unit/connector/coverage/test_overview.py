from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from connector.coverage import Coverage, Policy

if TYPE_CHECKING:
    from connector.contract.coverage import CoverageRecord

POLICY = Policy(overlap_ms=30_000, settle_ms=15_000, poll_ms=30_000, verify_ms=300_000, give_up_ms=3_600_000)
NOW = 1_767_556_000_000
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["watch", "unwatch", "live", "lost", "no-room", "proven", "doubt"]),
        st.integers(0, 4),
        st.integers(0, 60_000),
    ),
    max_size=30,
)


def _apply(coverage: Coverage, what: str, wallet: str, now_ms: int) -> None:
    if what == "watch" and wallet not in coverage:
        coverage.watch(wallet, since_ms=None, checkpoint=None, cause="start", now_ms=now_ms)
    elif what == "unwatch":
        coverage.unwatch(wallet, now_ms)
    elif what == "live":
        coverage.live("primary-0", "sub", [wallet], now_ms)
    elif what == "lost":
        coverage.lost("primary-0", [wallet], now_ms, "disconnect", now_ms)
    elif what == "no-room":
        coverage.refused([wallet], "no-room")
    elif what == "proven":
        coverage.proven("primary-0", now_ms)
    elif what == "doubt":
        coverage.doubt([wallet], (now_ms - 1_000, now_ms), "twin", now_ms)


@given(EVENTS)
def test_the_overview_is_what_the_checkpoints_say_together(events: list[tuple[str, int, int]]) -> None:
    """Wallets by standing, open gaps, and the longest lag; a gap is as old as its opening."""
    coverage, now_ms, opened = Coverage(POLICY, owner="a"), NOW, dict[str, int]()
    for what, number, pause in events:
        now_ms += pause
        _apply(coverage, what, f"w{number}", now_ms)
        gaps = {gap_id for gap_id in (coverage.gap_id(f"w{n}") for n in range(5)) if gap_id is not None}
        opened = {gap_id: opened.get(gap_id, now_ms) for gap_id in gaps}
    now_ms += 500
    seen = coverage.overview(now_ms)
    checkpoints: list[CoverageRecord] = [coverage.checkpoint(f"w{n}", now_ms) for n in range(5) if f"w{n}" in coverage]
    assert seen.standings.total() == len(checkpoints)
    assert all(
        seen.standings[standing] == sum(each.standing == standing for each in checkpoints)
        for standing in ("live", "down", "no-room", "refused")
    )
    assert seen.gaps == sum(each.gap is not None for each in checkpoints) == len(opened)
    assert seen.lag_ms == max((now_ms - each.covered_until_ms for each in checkpoints), default=0)
    assert seen.oldest_gap_ms == max((now_ms - at_ms for at_ms in opened.values()), default=0)
