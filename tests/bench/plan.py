"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Sizes of one run. Every repetition has topics of its own."""

    repetitions: int
    rate: float = 1_000.0
    """Events per second on the socket."""
    seconds: float
    """Of measured events; those of the warm-up before are left out."""
    warm_up_s: float
    orders: int
    """In the backlog."""
    wallets: int = 1_000
    backlog_s: float = 3_600.0
    """Time over which the backlog's orders were executed; windows fill, roll and decay accordingly."""


DEFAULT = Plan(repetitions=3, seconds=10.0, warm_up_s=5.0, orders=120_000)
QUICK = Plan(repetitions=1, seconds=4.0, warm_up_s=3.0, orders=30_000)
