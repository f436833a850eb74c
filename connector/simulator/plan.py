"""Which faults strike now. Pure: occasions and clock readings go in, faults come out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from connector.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from connector.simulator.faults import Trigger


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

    def take(
        self, trigger: Trigger, now: float, *, wallets: Collection[str] = (), connection: int | None = None
    ) -> list[Fault]:
        """Return all faults that strike on this occasion; each counts as struck."""
        return list(self._strikes(trigger, now, wallets, connection))

    def take_one(
        self, trigger: Trigger, now: float, *, wallets: Collection[str] = (), connection: int | None = None
    ) -> Fault | None:
        """Return the first fault that strikes on this occasion; the others wait for the next one."""
        return next(self._strikes(trigger, now, wallets, connection), None)

    def due(self, now: float, connections: Collection[int]) -> list[Fault]:
        """Return the faults whose own time has come, each at most once; they wait for a connection to strike."""
        faults = []
        for armed in self._awaiting(connections):
            if now >= armed.since:
                armed.since = now + armed.fault.every
                if armed.meets() and armed.strikes():
                    faults.append(self._count(armed.fault))
        return faults

    def opened(self, connection: int, now: float) -> None:
        """Give a new connection the usual respite from the faults that were waiting for one."""
        for armed in self._awaiting({connection}):
            if armed.since < now:
                armed.since = now + armed.fault.every

    def next_due(self, connections: Collection[int]) -> float | None:
        """Return the time at which `due` has something to say again, or None for never."""
        return min((armed.since for armed in self._awaiting(connections)), default=None)

    def _awaiting(self, connections: Collection[int]) -> list[_Armed]:
        return [
            armed
            for armed in self._armed.get("now", ())
            if connections and not armed.spent and armed.fault.connection in (None, *connections)
        ]

    def _count(self, fault: Fault) -> Fault:
        self.struck[fault.kind] = self.struck.get(fault.kind, 0) + 1
        return fault

    def _strikes(
        self, trigger: Trigger, now: float, wallets: Collection[str], connection: int | None
    ) -> Iterator[Fault]:
        waiting = self._armed.get(trigger)
        if not waiting:
            return
        self._armed[trigger] = waiting = [armed for armed in waiting if not armed.spent]
        met = [
            armed
            for armed in waiting
            if now >= armed.since and _aimed_at(armed.fault, wallets, connection) and armed.meets()
        ]
        for armed in met:
            if armed.strikes():
                yield self._count(armed.fault)


def _aimed_at(fault: Fault, wallets: Collection[str], connection: int | None) -> bool:
    if fault.connection is not None and fault.connection != connection:
        return False
    return fault.wallet is None or fault.wallet.lower() in wallets
