"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.bench import recovery, scale
from tests.bench.duel import QUICK as QUICK_DUEL
from tests.bench.duel import Plan as Duel
from tests.bench.loads import LOADS, USUAL, Load


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Sizes of one run. Every repetition has topics of its own."""

    repetitions: int = 3
    loads: tuple[Load, ...] = LOADS
    seconds: float = 10.0
    """Of measured events; those of the warm-up before are left out."""
    warm_up_s: float = 5.0
    moment_s: float = 30.0
    """Of orders around something that happens."""
    orders: int = 120_000
    """In the backlog of the complete job."""
    wallets: int = 1_000
    backlog_s: float = 3_600.0
    """Time over which the backlog's orders were executed; windows fill, roll and decay accordingly."""
    duel: Duel = field(default_factory=Duel)
    scale: tuple[int, ...] = scale.WALLETS
    restored: tuple[int, ...] = recovery.WALLETS
    watched: tuple[int, ...] = (100, 10_000)

    def repeated(self, times: int | None) -> Plan:
        """Return the same with so many repetitions; None: as it is."""
        return self if times is None else replace(self, repetitions=times, duel=self.duel._replace(repetitions=times))


DEFAULT = Plan()
QUICK = Plan(
    repetitions=1,
    loads=(USUAL,),
    seconds=4.0,
    warm_up_s=3.0,
    moment_s=15.0,
    orders=30_000,
    duel=QUICK_DUEL,
    scale=scale.WALLETS[:3],
    restored=recovery.WALLETS[:1],
    watched=(100, 1_000),
)
