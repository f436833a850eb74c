from __future__ import annotations

import tracemalloc
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from connector.dedupe import DUPLICATE, FIRST, UNSETTLED, Decision, Dedupe, NoDedupe, Verdict

A, B = (1, "sub_a"), (1, "sub_b")
LATER = (2, "sub_c")


def decisions(*deliveries: tuple[tuple[int, str], int | None]) -> list[Decision]:
    """Return the decisions on deliveries of one content, given as (channel, log_index)."""
    dedupe = Dedupe(100)
    return [dedupe.decide("content", channel, log_index) for channel, log_index in deliveries]


SECOND = Decision(Verdict.NEW, 1)
THIRD = Decision(Verdict.NEW, 2)


def test_the_same_log_index_again_is_a_duplicate() -> None:
    """On the same subscription, on another, and after a reconnect."""
    assert decisions((A, 7), (A, 7), (B, 7), (LATER, 7)) == [FIRST, DUPLICATE, DUPLICATE, DUPLICATE]


def test_another_log_index_is_a_twin() -> None:
    """Each different index is the next occurrence, on whatever subscription."""
    assert decisions((A, 7), (A, 9), (LATER, 8), (A, 9)) == [FIRST, SECOND, THIRD, DUPLICATE]


def test_without_log_index_other_channels_repeat() -> None:
    """One delivery per subscription and connection is one fill, delivered often."""
    assert decisions((A, None), (B, None), (LATER, None)) == [FIRST, DUPLICATE, DUPLICATE]


def test_a_second_equal_frame_on_a_channel_is_unsettled() -> None:
    """Twin or redelivery: nobody can tell without an index, so it is neither published nor dropped."""
    assert decisions((A, None), (A, None), (B, None), (B, None)) == [FIRST, UNSETTLED, DUPLICATE, UNSETTLED]


def test_an_index_after_a_frame_without_on_the_same_channel_is_unsettled() -> None:
    """
    The frame without index may have been this fill or its twin.

    A:    -     7     9
          0     ?     1     two indexes prove two fills, so the third delivery is published
    """
    assert decisions((A, None), (A, 7), (A, 9)) == [FIRST, UNSETTLED, SECOND]


def test_an_index_after_a_frame_without_on_another_channel_repeats_it() -> None:
    """Each channel delivered one: one fill."""
    assert decisions((A, None), (B, 7), (B, 7)) == [FIRST, DUPLICATE, DUPLICATE]


def test_a_frame_without_index_after_indexed_ones() -> None:
    """
    The n-th frame of a channel is at most the n-th fill.

    A:    7     9
    B:                7     -      second on B, two are known: repeats the second
    A:                             -   third on A: beyond what is known
    """
    assert decisions((A, 7), (A, 9), (B, 7), (B, None), (A, None)) == [
        FIRST,
        SECOND,
        DUPLICATE,
        DUPLICATE,
        UNSETTLED,
    ]


def test_contents_do_not_mix() -> None:
    """A decision depends on deliveries of the same content only."""
    dedupe = Dedupe(100)
    assert [dedupe.decide(content, A, None) for content in "xyx"] == [FIRST, FIRST, UNSETTLED]


def test_memory_is_bounded_and_keeps_the_latest() -> None:
    """The last `size` contents are known, and never more than twice as many are kept."""
    dedupe = Dedupe(10)
    for number in range(1000):
        assert dedupe.decide(str(number), A, 1) is FIRST
        assert len(dedupe) <= 21
        assert all(dedupe.decide(str(recent), A, 1) is DUPLICATE for recent in range(max(0, number - 9), number + 1))
    assert dedupe.decide("0", A, 1) is FIRST


def test_repeats_on_every_connection_cost_no_more_memory() -> None:
    """A provider that begins each connection with its latest orders does not fill the memory, and is not believed."""
    dedupe = Dedupe(10)

    def repeat(connections: range) -> None:
        for number in connections:
            for log_index in (None, 7):
                assert dedupe.decide(str(log_index), (number, "sub"), log_index) is (DUPLICATE if number else FIRST)

    repeat(range(100))
    tracemalloc.start()
    try:
        repeat(range(100, 2000))
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 20_000
    assert [dedupe.decide("None", (1999, "sub"), None), dedupe.decide("7", (1999, "sub"), 8)] == [UNSETTLED, SECOND]


def test_switched_off_everything_is_new() -> None:
    """The demonstration of what dedupe is for publishes every delivery as occurrence 0."""
    assert [NoDedupe().decide("x", A, 7) for _ in range(3)] == [FIRST] * 3


class Delivered(NamedTuple):
    """A delivery, and the fill it truly was."""

    channel: tuple[int, str]
    fill: int
    indexed: bool


CHANNELS = st.sampled_from([A, B, LATER])
DELIVERIES = st.lists(st.builds(Delivered, CHANNELS, st.integers(0, 3), st.booleans()), max_size=12)


@given(DELIVERIES)
def test_no_more_is_published_than_happened(deliveries: list[Delivered]) -> None:
    """Whatever is repeated, mixed or stripped of its index: never a fill too many, numbers without holes."""
    dedupe, fills = Dedupe(100), set()
    published = []
    for channel, fill, indexed in deliveries:
        fills.add(fill)
        decision = dedupe.decide("content", channel, fill if indexed else None)
        if decision.verdict is Verdict.NEW:
            published.append(decision.occurrence)
        assert len(published) <= len(fills)
    assert published == list(range(len(published)))


@given(DELIVERIES)
def test_with_indexes_exactly_the_fills_are_published(deliveries: list[Delivered]) -> None:
    """Where every delivery carries its index, published are the different indexes: the oracle is a set."""
    dedupe, seen = Dedupe(100), set[int]()
    for channel, fill, _ in deliveries:
        decision = dedupe.decide("content", channel, fill)
        assert decision == (DUPLICATE if fill in seen else Decision(Verdict.NEW, len(seen)))
        seen.add(fill)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), unique_by=lambda fill: fill[0]))
def test_on_one_channel_without_repeats_nothing_is_dropped(fills: list[tuple[int, bool]]) -> None:
    """Different fills delivered once each are published or set aside, never taken for duplicates."""
    assert DUPLICATE not in decisions(*((A, fill if indexed else None) for fill, indexed in fills))
