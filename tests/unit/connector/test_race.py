from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.race import Race, Standing

MS = 1_000_000


def test_the_first_delivery_wins_whatever_comes_to_be_noted_first() -> None:
    """The times of receipt count: the mirror was 3 ms ahead, though its frame was noted later."""
    race = Race()
    race.seen("a", "primary-0", 10 * MS)
    race.seen("a", "mirror-0", 7 * MS)
    race.seen("b", "primary-0", 20 * MS)
    assert race.summary() == {
        "primary-0": Standing(delivered=2, firsts=0, seconds=1, lead_p50_ms=None, lead_p99_ms=None),
        "mirror-0": Standing(delivered=1, firsts=1, seconds=0, lead_p50_ms=3.0, lead_p99_ms=3.0),
    }


def test_percentiles_of_a_hundred_leads() -> None:
    """Leads of 1 to 100 ms."""
    race = Race()
    for n in range(1, 101):
        race.seen(str(n), "primary-0", 0)
        race.seen(str(n), "mirror-0", n * MS)
    standing = race.summary()["primary-0"]
    assert (standing.lead_p50_ms, standing.lead_p99_ms) == (50.0, 99.0)


def test_a_delivery_repeated_on_one_socket_is_no_race() -> None:
    """A provider that sends twice is not compared with itself; the first of the two counts."""
    race = Race()
    for at in (1, 2):
        race.seen("a", "primary-0", at * MS)
    race.seen("a", "mirror-0", 5 * MS)
    assert race.summary()["primary-0"] == Standing(2, 1, 0, 4.0, 4.0)


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("pm"), st.integers(0, 100))), st.integers(1, 5))
def test_memory_is_bounded_and_every_race_has_one_winner(deliveries: list[tuple[int, str, int]], size: int) -> None:
    """What never comes a second time is given up, and counts as delivered only."""
    race = Race(size, sample=3)
    for content, socket, at in deliveries:
        race.seen(str(content), socket, at)
        assert len(race._waiting) <= size
    standings = list(race.summary().values())
    assert sum(each.firsts for each in standings) == sum(each.seconds for each in standings)
    assert sum(each.delivered for each in standings) == len(deliveries)
    assert all((each.lead_p50_ms or 0) >= 0 for each in standings)
    assert all(len(runner.leads) <= 3 for runner in race._runners.values())
