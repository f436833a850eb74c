from __future__ import annotations

from typing import Any

from connector.contract.coverage import CoverageRecord, OpenGap, Standing
from connector.contract.gap import GapRecord, GapState
from connector.contract.record import encode
from connector.local import completeness
from connector.local.completeness import Completeness
from connector.local.seen import Seen

A, B = "0x" + "a" * 40, "0x" + "b" * 40
GAP = OpenGap(gap_id="g", cause="disconnect", start_ms=1)


def seen(wallet: str, value: bytes | None) -> Seen:
    """Return a record of a wallet."""
    return Seen(0, 0, 0, wallet.encode(), value, ())


def coverage(wallet: str, standing: Standing, *, verified_ms: int = 1, gap: OpenGap | None = None) -> Seen:
    """Return what the connector says of a wallet."""
    record = CoverageRecord(
        wallet=wallet,
        standing=standing,
        owner="r0",
        covered_until_ms=1,
        verified_until_ms=verified_ms,
        gap=gap,
        at_ms=1,
    )
    return seen(wallet, encode(record))


def gap(gap_id: str, state: GapState, **changes: Any) -> Seen:
    """Return a report of a gap."""
    record = GapRecord(gap_id=gap_id, wallet=A, state=state, cause="start", start_ms=1, owner="r0", at_ms=1, **changes)
    return seen(A, encode(record))


def test_the_last_word_on_a_wallet_counts() -> None:
    """Live or not, with a gap or without, or no longer watched."""
    state = Completeness()
    assert (state.live, state.open, state.verified_until_ms) == (0, 0, 0)
    state.absorb_coverage(coverage(A, "down", gap=GAP))
    state.absorb_coverage(coverage(B, "live", verified_ms=9))
    assert (state.live, state.open, state.verified_until_ms) == (1, 1, 1)
    state.absorb_coverage(coverage(A, "live", verified_ms=7))
    assert (state.live, state.open, state.verified_until_ms) == (2, 0, 7)
    state.absorb_coverage(seen(A, None))
    assert (state.live, len(state.wallets), state.verified_until_ms) == (1, 1, 9)
    state.absorb_coverage(seen(B, b"{"))
    assert state.wallets == {}


def test_a_gap_ends_once() -> None:
    """Reports may be repeated; what is still open is not counted here, and what cannot be read not at all."""
    state = Completeness()
    reports = [
        gap("1", "opened"),
        gap("1", "filling"),
        gap("1", "closed", recovered=3),
        gap("1", "closed", recovered=3),
        gap("2", "unrecoverable", recovered=1),
        seen(A, b"{"),
        seen(A, None),
    ]
    for report in reports:
        state.absorb_gap(report)
    assert (state.ended["closed"], state.ended["unrecoverable"], state.recovered) == (1, 1, 4)
    assert state.text == "0 of 0 wallets live, gaps 0 open, 1 closed, 1 unrecoverable, 4 orders recovered"


def test_memory_of_gaps_is_bounded() -> None:
    """A view that runs for months keeps counts, not ids."""
    state = Completeness()
    for number in range(completeness._REMEMBERED + 5):
        state.absorb_gap(gap(str(number), "closed"))
    assert state.ended["closed"] == completeness._REMEMBERED + 5
    assert len(state._ended_ids) == completeness._REMEMBERED
