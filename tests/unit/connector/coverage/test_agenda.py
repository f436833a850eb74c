"""The agenda against the plainest one there is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.coverage.agenda import Agenda

WALLETS = st.sampled_from("abcd")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), WALLETS, st.integers(0, 9), st.booleans()),
        st.tuples(st.just("clear"), WALLETS),
        st.tuples(st.just("pop"), st.integers(0, 9)),
    ),
    max_size=60,
)


@given(STEPS)
def test_it_gives_what_is_due_urgent_first_and_forgets_nothing(steps: list[tuple[object, ...]]) -> None:
    """Replaced and cleared entries never come back; each other one comes once."""
    agenda, plain = Agenda(), dict[str, tuple[int, bool]]()
    for step in steps:
        match step:
            case ("set", str(wallet), int(due), bool(urgent)):
                agenda.set(wallet, due, urgent=urgent)
                plain[wallet] = (due, urgent)
            case ("clear", str(wallet)):
                agenda.clear(wallet)
                plain.pop(wallet, None)
            case ("pop", int(now)):
                due_now = [(not urgent, due, wallet) for wallet, (due, urgent) in plain.items() if due <= now]
                expected = min(due_now)[2] if due_now else None
                assert agenda.pop(now) == expected
                plain.pop(expected or "", None)
        assert agenda.next_due() == min((due for due, _ in plain.values()), default=None)
