"""How runs of the stock worker are judged."""

from __future__ import annotations

from tests.loss_stock.verdict import judge

TRUTH = {"a": 10, "b": 5}


def test_exact_counts_are_good() -> None:
    """Nothing lost, nothing repeated."""
    outcome = judge(TRUTH, {"a": [10, 10, 9], "b": [5, 5, 14]}, unfinished=0, seconds=1.0)
    assert (outcome.events, outcome.lost, outcome.repeated, outcome.bad) == (15, 0, 0, False)


def test_repetition_alone_is_not_loss() -> None:
    """At least once may deliver twice: the guarded count says whether all is there."""
    outcome = judge(TRUTH, {"a": [14, 10, 9], "b": [5, 5, 14]}, unfinished=0, seconds=1.0)
    assert (outcome.lost, outcome.repeated, outcome.bad) == (0, 4, False)


def test_repetition_does_not_make_up_for_loss() -> None:
    """A wallet with too much, another with too little, and one that is absent."""
    outcome = judge(TRUTH | {"c": 2}, {"a": [14, 10, 9], "b": [4, 3, 14]}, unfinished=0, seconds=1.0)
    assert (outcome.lost, outcome.repeated, outcome.bad) == (4, 4, True)


def test_a_stall_is_bad() -> None:
    """What is never committed is never done, whatever the table says."""
    assert judge(TRUTH, {"a": [10, 10, 9], "b": [5, 5, 14]}, unfinished=3, seconds=1.0).bad
