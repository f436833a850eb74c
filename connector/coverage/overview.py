"""What is true of all wallets of a replica together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from connector.contract.coverage import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.coverage.watched import Watched


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of wallets and gaps, and the longest times in milliseconds."""

    standings: Counter[Standing]
    """Wallets by standing."""
    gaps: int
    """Open ones."""
    oldest_gap_ms: int
    """For how long the oldest open gap has been open; 0: none is."""
    lag_ms: int
    """From the earliest time up to which a wallet is complete until now; 0: no wallet."""


def overview(wallets: Iterable[Watched], now_ms: int) -> Overview:
    """Return the overview of these wallets."""
    standings: Counter[Standing] = Counter()
    gaps = oldest_ms = lag_ms = 0
    for state in wallets:
        standings["live" if state.sockets else state.standing] += 1
        lag_ms = max(lag_ms, now_ms - state.complete_ms)
        if state.gap is not None:
            gaps += 1
            oldest_ms = max(oldest_ms, now_ms - state.gap.opened_ms)
    return Overview(standings=standings, gaps=gaps, oldest_gap_ms=oldest_ms, lag_ms=lag_ms)
