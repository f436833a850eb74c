"""Admission: which record comes next. Offsets decide, nothing else."""

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
