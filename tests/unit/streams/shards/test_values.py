from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.contract.record import order_record
from streams.shards.values import Values
from streams.stats.glance import Glance, glance_at_wallet
from streams.stats.rulestate import RuleState
from streams.stats.wallet import WalletState
from tests.support.orders import order_data

if TYPE_CHECKING:
    from streams.stats.rulestate import Memory


@dataclass
class Number:
    """A value that is a number, and has a rule where it is odd."""

    clock: int
    rules: Memory = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return it as text."""
        return str(self.clock).encode()


def decode(encoded: bytes) -> Number:
    """Read it, and know the rule again."""
    number = int(encoded)
    return Number(number, {1: RuleState(1)} if number % 2 else {})


def glance(encoded: bytes) -> Glance:
    """Look at it without its rule."""
    return Glance(None, int(encoded) % 2 == 1, int(encoded))


_SUBJECT = st.sampled_from("abcdefgh")
_STEP = st.one_of(
    st.tuples(st.just("set"), _SUBJECT, st.integers(0, 99)),
    st.tuples(st.just("restore"), _SUBJECT, st.integers(0, 99)),
    st.tuples(st.just("change"), _SUBJECT, st.integers(0, 99)),
    st.tuples(st.just("peek"), _SUBJECT, st.just(0)),
    st.tuples(st.just("delete"), _SUBJECT, st.just(0)),
    st.tuples(st.just("cool"), st.just(""), st.integers(1, 3)),
)


@given(st.lists(_STEP, max_size=60))
def test_they_are_what_a_dictionary_holds_however_many_are_objects(steps: list[tuple[str, str, int]]) -> None:
    """Whatever is used, changed, encoded and decoded again in between."""
    values, model = Values(decode, glance, generation=2), dict[str, int]()
    for step, subject, number in steps:
        if step == "set":
            values[subject] = decode(str(number).encode())
            model[subject] = number
        elif step == "restore" and subject not in model:
            values.restore(subject, str(number).encode())
            model[subject] = number
        elif step == "change" and (value := values.get(subject)) is not None:
            value.clock, value.rules = number, {1: RuleState(1)} if number % 2 else {}
            model[subject] = number
        elif step == "peek" and subject in values:
            assert values.peek(subject).clock == model[subject]
        elif step == "delete" and subject in values:
            del values[subject]
            del model[subject]
        elif step == "cool":
            values.cool(number)
        assert dict(values.clocks()) == model
        assert sorted(values) == sorted(model)
        assert len(values) == len(model)
        assert sorted(values.ruled()) == sorted(name for name, each in model.items() if each % 2)
        assert {name: values.encoded(name) for name in "abcdefgh"} == {
            name: str(model[name]).encode() if name in model else None for name in "abcdefgh"
        }


def test_who_is_used_stays_an_object() -> None:
    """Of many that are restored only those are decoded; when others are used, the oldest go."""
    decoded: list[bytes] = []

    def counting(encoded: bytes) -> Number:
        decoded.append(encoded)
        return decode(encoded)

    values = Values(counting, glance, generation=2)
    for number in range(100):
        values.restore(str(number), str(number).encode())
    for _ in range(3):
        for name in ("7", "8"):
            assert values[name] is values[name]
        values.cool(100)
    assert decoded == [b"7", b"8"]
    for name in ("1", "2", "3", "4"):
        assert values[name].clock == int(name)
        values.cool(100)
    assert values["7"].clock == 7
    assert decoded == [b"7", b"8", b"1", b"2", b"3", b"4", b"7"]


@given(times=st.lists(st.integers(1_700_000_000, 1_700_100_000), min_size=1, max_size=30), ruled=st.booleans())
def test_a_glance_tells_what_the_whole_state_tells(times: list[int], *, ruled: bool) -> None:
    """When it changes next, whether rules remember anything, and its clock."""
    state = WalletState()
    for offset, second in enumerate(sorted(times)):
        order = parse_order(order_data(timestamp=second, tx_hash=f"0x{offset:064x}"))
        state.fold(order_record(order, content_id(order), 0), offset=offset, clock=second * 1_000)
    state.rules = {1: RuleState(1)} if ruled else {}
    assert glance_at_wallet(state.encode()) == (state.next_change(state.clock), ruled, state.clock)
