"""Who is due first, against a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.notify.agenda import Agenda

_steps = st.lists(st.tuples(st.sampled_from("abcde"), st.one_of(st.none(), st.integers(0, 20))), max_size=400)


@given(steps=_steps)
def test_the_first_is_the_earliest_of_all(steps: list[tuple[str, int | None]]) -> None:
    """Whatever was put before; what does not count any more takes no room."""
    agenda = Agenda()
    times: dict[str, int] = {}
    for name, at in steps:
        agenda.put(name, at)
        times.pop(name, None)
        if at is not None:
            times[name] = at
        assert agenda.first() == min(((time, each) for each, time in times.items()), default=None)
        assert len(agenda._heap) <= 2 * len(times) + 65
