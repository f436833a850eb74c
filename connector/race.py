"""Two sockets, one order: which delivers it first, and by how much. Pure; bounded memory."""

from __future__ import annotations

from collections import deque

import msgspec

_NS_PER_MS = 1e6


class Standing(msgspec.Struct, frozen=True):
    """How a socket did. What it delivered beyond firsts and seconds nobody else delivered, at least not yet."""

    delivered: int
    firsts: int
    seconds: int
    lead_p50_ms: float | None
    """Of its latest firsts, how long the other socket took longer; None: it was never first."""
    lead_p99_ms: float | None


class _Runner:
    def __init__(self, sample: int) -> None:
        self.delivered = self.firsts = self.seconds = 0
        self.leads: deque[int] = deque(maxlen=sample)

    def standing(self) -> Standing:
        leads = sorted(self.leads)
        p50, p99 = (leads[(len(leads) - 1) * q // 100] / _NS_PER_MS if leads else None for q in (50, 99))
        return Standing(self.delivered, self.firsts, self.seconds, p50, p99)


class Race:
    """
    Compares the times at which sockets received the same content.

    Args:
        size: Contents that wait for their second delivery; beyond, the oldest is given up.
        sample: Latest leads of a socket that its percentiles are taken from.
    """

    def __init__(self, size: int = 10_000, sample: int = 10_000) -> None:
        self._size = size
        self._sample = sample
        self._waiting: dict[str, tuple[str, int]] = {}
        self._runners: dict[str, _Runner] = {}

    def seen(self, content: str, socket: str, received_ns: int) -> None:
        """Note a delivery; `received_ns` is the wall clock's reading. Twins are compared one by one."""
        runner = self._runner(socket)
        runner.delivered += 1
        other, other_ns = self._waiting.get(content, (socket, 0))
        if other != socket:
            del self._waiting[content]
            self._finish((runner, received_ns), (self._runner(other), other_ns))
            return
        self._waiting.setdefault(content, (socket, received_ns))
        if len(self._waiting) > self._size:
            del self._waiting[next(iter(self._waiting))]

    def summary(self) -> dict[str, Standing]:
        """Return how each socket did."""
        return {socket: runner.standing() for socket, runner in self._runners.items()}

    def _finish(self, one: tuple[_Runner, int], other: tuple[_Runner, int]) -> None:
        (first, first_ns), (second, second_ns) = sorted((one, other), key=lambda each: each[1])
        first.firsts += 1
        second.seconds += 1
        first.leads.append(second_ns - first_ns)

    def _runner(self, socket: str) -> _Runner:
        runner = self._runners.get(socket)
        if runner is None:
            runner = self._runners[socket] = _Runner(self._sample)
        return runner
