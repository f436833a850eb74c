"""Which faults strike now. Pure: occasions and clock readings go in, faults come out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import msgspec

from connector.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.simulator.faults import Trigger


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an occasion concerns."""

    wallets: Collection[str] = ()
    connection: int | None = None
    key: str | None = None

    def reached_by(self, fault: Fault) -> bool:
        """Tell whether the fault is aimed at this connection and key, or at any."""
        return fault.connection in (None, self.connection) and fault.key in (None, self.key)

    def hit_by(self, fault: Fault) -> bool:
        """Tell whether the fault is aimed at it, wallets included."""
        return self.reached_by(fault) and (fault.wallet is None or fault.wallet.lower() in self.wallets)


NOBODY = Target()
"""An occasion that only faults aimed at anyone hit."""


class _Armed(msgspec.Struct):
    fault: Fault
    since: float
    """From when it strikes, or strikes next."""
    draw: Callable[[], float]
    seen: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.times is not None and self.struck >= self.fault.times

    def meets(self) -> bool:
        """Count an occasion, and tell whether it is one to strike on."""
        self.seen += 1
        return self.seen > self.fault.after

    def strikes(self) -> bool:
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

    def draws(self, seed: int) -> Callable[[], float]:
        """Return the numbers in [0, 1) of a seed."""
        return self._draws(seed)

    def waits(self, trigger: Trigger) -> bool:
        """Tell whether any fault waits for such an occasion; without one there is no need to ask further."""
        return bool(self._armed.get(trigger))

    def take(self, trigger: Trigger, now: float, target: Target = NOBODY) -> list[Fault]:
        """Return all faults that strike on this occasion; each counts as struck."""
        return list(self._strikes(trigger, now, target))

    def take_one(self, trigger: Trigger, now: float, target: Target = NOBODY) -> Fault | None:
        """Return the first fault that strikes on this occasion; the others wait for the next one."""
        return next(self._strikes(trigger, now, target), None)

    def due(self, now: float, connections: Collection[Target]) -> list[Fault]:
        """Return the faults whose own time has come, each at most once; they wait for a connection to strike."""
        faults = []
        for armed in self._awaiting(connections):
            if now >= armed.since:
                armed.since = now + armed.fault.every
                if armed.meets() and armed.strikes():
                    faults.append(self._count(armed.fault))
        return faults

    def opened(self, connection: Target, now: float) -> None:
        """Give a new connection the usual respite from the faults that were waiting for one."""
        for armed in self._awaiting((connection,)):
            if armed.since < now:
                armed.since = now + armed.fault.every

    def next_due(self, connections: Collection[Target]) -> float | None:
        """Return the time at which `due` has something to say again, or None for never."""
        return min((armed.since for armed in self._awaiting(connections)), default=None)

    def _awaiting(self, connections: Collection[Target]) -> list[_Armed]:
        return [
            armed
            for armed in self._armed.get("now", ())
            if not armed.spent and any(target.reached_by(armed.fault) for target in connections)
        ]

    def _count(self, fault: Fault) -> Fault:
        self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
        return fault

    def _strikes(self, trigger: Trigger, now: float, target: Target) -> Iterator[Fault]:
        waiting = self._armed.get(trigger)
        if not waiting:
            return
        self._armed[trigger] = waiting = [armed for armed in waiting if not armed.spent]
        met = [armed for armed in waiting if now >= armed.since and target.hit_by(armed.fault) and armed.meets()]
        for armed in met:
            if armed.strikes():
                yield self._count(armed.fault)
