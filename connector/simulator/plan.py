"""Which faults strike now. Pure: occasions and clock readings go in, faults come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from connector.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Collection

    from connector.simulator.faults import Trigger


class _Armed(msgspec.Struct):
    fault: Fault
    since: float
    draw: Callable[[], float]
    seen: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.struck >= self.fault.times

    def strikes(self) -> bool:
        self.seen += 1
        if self.seen <= self.fault.after:
            return False
        if self.fault.probability < 1.0 and self.draw() >= self.fault.probability:
            return False
        self.struck += 1
        return True


class FaultPlan:
    """The faults injected so far, and how often each struck. Times are seconds of one monotonic clock."""

    def __init__(self, draws: Callable[[int], Callable[[], float]]) -> None:
        """`draws` returns, for a seed, a function of numbers in [0, 1)."""
        self._draws = draws
        self._armed: dict[Trigger, list[_Armed]] = {}
        self.struck: dict[str, int] = {}
        """Strikes by kind."""

    def inject(self, fault: Fault, now: float) -> None:
        """Arm a fault."""
        armed = _Armed(fault, now + fault.at, self._draws(fault.seed))
        self._armed.setdefault(fault.trigger, []).append(armed)

    def clear(self) -> None:
        """Disarm everything."""
        self._armed.clear()

    def take(
        self, trigger: Trigger, now: float, *, wallets: Collection[str] = (), connection: int | None = None
    ) -> list[Fault]:
        """Return the faults that strike on this occasion; each counts as struck."""
        waiting = self._armed.get(trigger)
        if not waiting:
            return []
        faults = [
            self._count(armed.fault)
            for armed in waiting
            if now >= armed.since and _aimed_at(armed.fault, wallets, connection) and armed.strikes()
        ]
        self._forget_spent(trigger)
        return faults

    def due(self, now: float) -> list[Fault]:
        """Return the faults whose own time has come; one that is overdue several times strikes several times."""
        faults = []
        for armed in self._armed.get("now", ()):
            while not armed.spent and now >= _next_strike(armed):
                if armed.strikes():
                    faults.append(self._count(armed.fault))
        self._forget_spent("now")
        return faults

    def next_due(self) -> float | None:
        """Return the time at which `due` has something to say again, or None for never."""
        return min(map(_next_strike, self._armed.get("now", ())), default=None)

    def _count(self, fault: Fault) -> Fault:
        self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
        return fault

    def _forget_spent(self, trigger: Trigger) -> None:
        self._armed[trigger] = [armed for armed in self._armed.get(trigger, ()) if not armed.spent]


def _next_strike(armed: _Armed) -> float:
    return armed.since + armed.seen * armed.fault.every


def _aimed_at(fault: Fault, wallets: Collection[str], connection: int | None) -> bool:
    if fault.connection is not None and fault.connection != connection:
        return False
    return fault.wallet is None or fault.wallet.lower() in wallets
