"""What one run is made of."""

from __future__ import annotations

from typing import Literal

import msgspec

from tests.chaos.schedule import KINDS

Naive = Literal["repair", "dedupe"]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes of the world and of the schedule. Times are in seconds."""

    faults: int = 60
    seed: int = 1
    replicas: int = 3
    dialect: Literal["dome", "predexon"] = "dome"
    kinds: tuple[str, ...] = KINDS
    mean_s: float = 1.5
    """Between two faults."""
    rate: float = 40.0
    """Orders per second."""
    wallets: int = 130
    """In the market."""
    listed: int = 90
    """On the watch-list at the beginning."""
    static: int = 10
    """Watched by setting, on top."""
    partitions: int = 8
    rtt_s: float = 0.005
    rest_lag: float = 2.0
    settle: float = 8.0
    """Of the connector; longer than REST lags here, faults included."""
    verify: float = 10.0
    """Between two routine comparisons with REST: silent losses have to be found within the run."""
    session_timeout: float = 6.0
    warm_up_s: float = 3.0
    """Of quiet trading before the first fault."""
    patience_s: float = 240.0
    """For everything to be live, gapless and covered at the end."""
    naive: Naive | None = None
    """Without one of the mechanisms under test: REST fails for ever, or nothing is deduplicated."""
    streams: bool = True
    """Whether a worker computes statistics."""
