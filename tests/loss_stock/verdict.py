"""What a run's counts say against the truth. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Outcome(NamedTuple):
    """One run."""

    events: int
    lost: int
    """Events missing from the guarded counts: skipped, or (see `unfinished`) not reached."""
    repeated: int
    """Events that the naive counts have too often."""
    unfinished: int
    """Events that were not committed when patience ended."""
    seconds: float

    @property
    def bad(self) -> bool:
        """Whether events were lost, or the worker stopped getting on. Repetition is what at-least-once promises."""
        return self.lost > 0 or self.unfinished > 0


def judge(truth: Mapping[str, int], counts: Mapping[str, Sequence[int]], *, unfinished: int, seconds: float) -> Outcome:
    """Compare the table's last values, [naive, guarded, last offset] by wallet, with the orders in the topic."""
    found = {wallet: counts.get(wallet, (0, 0, -1)) for wallet in truth}
    return Outcome(
        events=sum(truth.values()),
        lost=sum(max(0, true - found[wallet][1]) for wallet, true in truth.items()),
        repeated=sum(max(0, found[wallet][0] - true) for wallet, true in truth.items()),
        unfinished=unfinished,
        seconds=seconds,
    )
