"""The schedule: complete, in proportion, and a function of its seed."""

from __future__ import annotations

import pytest

from connector.simulator.faults import TRIGGERS
from tests.chaos.schedule import KINDS, OWN_KINDS, schedule


def test_a_schedule_is_decided_by_its_seed() -> None:
    """The same seed strikes the same, to the last parameter; another one does not."""
    first = schedule(200, seed=5, replicas=3, mean_s=1.0)
    assert first == schedule(200, seed=5, replicas=3, mean_s=1.0)
    assert first != schedule(200, seed=6, replicas=3, mean_s=1.0)


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_strikes_in_sixty_faults(seed: int) -> None:
    """The default length has each kind of the simulator's and of our own."""
    assert {strike.kind for strike in schedule(60, seed=seed, replicas=3, mean_s=1.0)} == {*TRIGGERS, *OWN_KINDS}
    assert set(KINDS) == {*TRIGGERS, *OWN_KINDS}


def test_strikes_come_in_order_and_on_average_as_often_as_asked() -> None:
    """Times rise; the mean is a little below what was asked, since very long pauses are cut."""
    strikes = schedule(2_000, seed=1, replicas=3, mean_s=2.0)
    times = [strike.at for strike in strikes]
    assert times == sorted(times)
    assert 1.8 < times[-1] / len(times) < 2.1
    assert {strike.replica for strike in strikes} == {0, 1, 2}


def test_what_the_simulator_gets_is_of_the_kind() -> None:
    """The first fault of a strike is the one it is named for, so that the simulator's counts tell."""
    for strike in schedule(500, seed=2, replicas=2, mean_s=1.0):
        assert (strike.kind in OWN_KINDS) != bool(strike.faults)
        if strike.faults:
            assert strike.faults[0].kind == strike.kind
            assert strike.faults[0].times is not None
