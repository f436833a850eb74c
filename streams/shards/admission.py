"""Admission: which record comes next, and whether one is missing at the end. Offsets decide, nothing else."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """What to do with a record."""

    ADMIT = "admit"
    ABSORBED = "absorbed"
    """At or below the position: a replay, drop it."""
    JUMP = "jump"
    """Beyond the next offset: somebody skipped records; read again from `Admission.next`."""


class Admission:
    """
    Admits every offset once, in order.

    A jump is answered by reading again from the next offset, once: the first record that then
    comes is the next one, whatever its offset, because retention, compaction and transaction
    markers leave legal holes.
    """

    def __init__(self, position: int) -> None:
        self.next = position + 1
        self._rewound = False

    def judge(self, offset: int) -> Verdict:
        """Judge the next record that arrived; ADMIT moves on to the offset after it."""
        if offset < self.next:
            return Verdict.ABSORBED
        if offset > self.next and not self._rewound:
            self._rewound = True
            return Verdict.JUMP
        self.next = offset + 1
        self._rewound = False
        return Verdict.ADMIT


class Tail:
    """
    Tells a partition that has been read to its end from one whose last records do not come.

    When nothing comes for `stall_s`, they are read again, once; if nothing comes then either, there is
    no record between the position and the end, but a transaction marker. Times are in seconds, of any clock.
    """

    def __init__(self, stall_s: float, now: float) -> None:
        self._stall_s = stall_s
        self._moved_at = now
        self._read_again_to = 0
        self.empty_to = 0
        """End up to which no record lies between the position and there, however far it is."""

    def moved(self, now: float) -> None:
        """Note that records came, or that there are none ahead."""
        self._moved_at = now

    def reached(self, following: int, end: int) -> bool:
        """Return whether no record is known to lie at `following` or beyond it."""
        return end <= max(following, self.empty_to)

    def stalled(self, end: int, now: float) -> bool:
        """Return whether it is time to read again what lies before `end` and has not come."""
        if now - self._moved_at <= self._stall_s:
            return False
        self._moved_at = now
        if self._read_again_to == end:
            self.empty_to = end
            return False
        self._read_again_to = end
        return True
