"""Tiers and their limits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.simulator.dialect import Dome
from connector.simulator.predexon import Predexon
from connector.simulator.settings import Config
from connector.simulator.tiers import DEV, FREE, PREDEXON_DEV, PREDEXON_PRO, RateLimit, Tier

DOME, PREDEXON = Dome(), Predexon()


@given(st.lists(st.integers(0, 40), max_size=60))
def test_no_window_ever_holds_more_than_its_limit(quarters: list[int]) -> None:
    """Whatever the arrivals, a scan over the admitted ones finds no window too full and no needless refusal."""
    tier = Tier(subscriptions=1, items=1, wildcard=False, requests=((0.5, 2), (2.0, 5)))
    limit, admitted = RateLimit(tier), list[float]()
    for now in sorted(quarter / 4 for quarter in quarters):
        full = any(sum(at > now - seconds for at in admitted) >= most for seconds, most in tier.requests)
        wait = limit.wait(now)
        assert (wait > 0) == full
        if not full:
            admitted.append(now)


def test_waiting_as_told_is_enough() -> None:
    """The free plan's eleventh request in a second is admitted after the wait it was told."""
    limit = RateLimit(FREE)
    assert [limit.wait(0.25) for _ in range(10)] == [0.0] * 10
    wait = limit.wait(0.75)
    assert wait == 0.5
    assert limit.wait(0.75 + wait) == 0.0


def test_the_key_decides_the_tier() -> None:
    """By configuration first, then by prefix; empty and bad keys buy nothing."""
    config = Config(tiers={"free-special": DEV})
    assert config.tier_of("free-1", DOME) is FREE
    assert config.tier_of("free-special", DOME) is DEV
    assert config.tier_of("anything", DOME) is DEV
    assert config.tier_of("bad-1", DOME) is None
    assert config.tier_of("", DOME) is None
    assert config.tier_of("dev-1", PREDEXON) is PREDEXON_DEV
    assert config.tier_of("anything", PREDEXON) is PREDEXON_PRO
    assert Config(default_tier=FREE).tier_of("anything", PREDEXON) is FREE
