from __future__ import annotations

import tracemalloc
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from connector.dedupe import Channel, Memory, NoDedupe
from connector.fills import DUPLICATE, FIRST, UNSETTLED, Decision, Verdict, expanded

A, B = ("primary-0", 1, "sub_a"), ("primary-0", 1, "sub_b")
LATER = ("primary-0", 2, "sub_c")
NOW = 1_767_556_300_000


def decisions(*deliveries: tuple[Channel, int | None]) -> list[Decision]:
    """Return the decisions on deliveries of one content, given as (channel, log_index)."""
    memory = Memory(100, 0)
    return [memory.decide("content", channel, log_index, NOW) for channel, log_index in deliveries]


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
    memory = Memory(100, 0)
    assert [memory.decide(content, A, None, NOW) for content in "xyx"] == [FIRST, FIRST, UNSETTLED]


def test_memory_is_bounded_and_keeps_the_latest() -> None:
    """The last `size` contents are known, and never more than twice as many are kept."""
    memory = Memory(10, 0)
    for number in range(1000):
        assert memory.decide(str(number), A, 1, NOW) is FIRST
        assert len(memory) <= 21
        assert all(
            memory.decide(str(recent), A, 1, NOW) is DUPLICATE for recent in range(max(0, number - 9), number + 1)
        )
    assert memory.decide("0", A, 1, NOW) is FIRST


def test_repeats_on_every_connection_cost_no_more_memory() -> None:
    """A provider that begins each connection with its latest orders does not fill the memory, and is not believed."""
    memory = Memory(10, 0)

    def repeat(connections: range) -> None:
        for number in connections:
            for log_index in (None, 7):
                assert memory.decide(str(log_index), ("primary-0", number, "sub"), log_index, NOW) is (
                    DUPLICATE if number else FIRST
                )

    repeat(range(100))
    tracemalloc.start()
    try:
        repeat(range(100, 2000))
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 20_000
    assert [
        memory.decide("None", ("primary-0", 1999, "sub"), None, NOW),
        memory.decide("7", ("primary-0", 1999, "sub"), 8, NOW),
    ] == [
        UNSETTLED,
        SECOND,
    ]


def test_switched_off_everything_is_new() -> None:
    """The demonstration of what dedupe is for publishes every delivery as occurrence 0."""
    assert [NoDedupe(10, 0).decide("x", A, 7, NOW) for _ in range(3)] == [FIRST] * 3


class Delivered(NamedTuple):
    """A delivery, and the fill it truly was."""

    channel: Channel
    fill: int
    indexed: bool


CHANNELS = st.sampled_from([A, B, LATER])
DELIVERIES = st.lists(st.builds(Delivered, CHANNELS, st.integers(0, 3), st.booleans()), max_size=12)


@given(DELIVERIES)
def test_no_more_is_published_than_happened(deliveries: list[Delivered]) -> None:
    """Whatever is repeated, mixed or stripped of its index: never a fill too many, numbers without holes."""
    memory, fills = Memory(100, 0), set()
    published = []
    for channel, fill, indexed in deliveries:
        fills.add(fill)
        decision = memory.decide("content", channel, fill if indexed else None, NOW)
        if decision.verdict is Verdict.NEW:
            published.append(decision.occurrence)
        assert len(published) <= len(fills)
    assert published == list(range(len(published)))


@given(DELIVERIES)
def test_with_indexes_exactly_the_fills_are_published(deliveries: list[Delivered]) -> None:
    """Where every delivery carries its index, published are the different indexes: the oracle is a set."""
    memory, seen = Memory(100, 0), set[int]()
    for channel, fill, _ in deliveries:
        decision = memory.decide("content", channel, fill, NOW)
        assert decision == (DUPLICATE if fill in seen else Decision(Verdict.NEW, len(seen)))
        seen.add(fill)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), unique_by=lambda fill: fill[0]))
def test_on_one_channel_without_repeats_nothing_is_dropped(fills: list[tuple[int, bool]]) -> None:
    """Different fills delivered once each are published or set aside, never taken for duplicates."""
    assert DUPLICATE not in decisions(*((A, fill if indexed else None) for fill, indexed in fills))


@given(DELIVERIES)
def test_the_short_form_decides_like_the_long_one(deliveries: list[Delivered]) -> None:
    """Contents that were delivered once per channel are kept as a tuple; nobody notices."""
    memory, fills = Memory(100, 0), None
    for channel, fill, indexed in deliveries:
        log_index = fill if indexed else None
        if fills is None:
            fills, expected = expanded((log_index, channel)), FIRST
        else:
            expected = fills.delivered(channel, log_index)
        assert memory.decide("content", channel, log_index, NOW) == expected


X, Y = "a" * 32, "b" * 32


def test_what_the_topic_holds_is_known() -> None:
    """A restart changes nothing: a delivery of the same fill is a duplicate, another index a twin."""
    memory = Memory(100, 0)
    assert memory.absorb(f"{X}-0", 7, NOW)
    assert memory.absorb(f"{Y}-0", None, NOW)
    assert [memory.decide(X, A, 7, NOW), memory.decide(X, A, 9, NOW)] == [DUPLICATE, SECOND]
    assert [memory.decide(Y, A, None, NOW), memory.decide(Y, A, None, NOW)] == [DUPLICATE, UNSETTLED]


def test_the_same_record_twice_in_the_topic_is_reported() -> None:
    """A handover that was not clean may leave one; reading it changes nothing."""
    memory = Memory(100, 0)
    assert [memory.absorb(f"{X}-{number}", number, NOW) for number in (0, 1, 0, 1)] == [True, True, False, False]
    assert memory.decide(X, A, 2, NOW) == THIRD


def test_an_occurrence_tells_of_those_before_it() -> None:
    """The tail of the topic may begin between two twins."""
    memory = Memory(100, 0)
    assert memory.absorb(f"{X}-1", 9, NOW)
    assert [memory.decide(X, A, 7, NOW), memory.decide(X, A, 8, NOW)] == [DUPLICATE, THIRD]


def test_two_fills_under_one_number_are_made_up_for() -> None:
    """
    Owner and former owner each published another twin first, both as occurrence 0.

    Two indexes, one number: the next delivery or row of either brings the second.
    """
    memory = Memory(100, 0)
    assert memory.absorb(f"{X}-0", 7, NOW)
    assert not memory.absorb(f"{X}-0", 9, NOW)
    assert memory.decide(X, A, 7, NOW) == SECOND
    assert memory.reconcile(X, [9, 7], NOW) == ([], 2)


def test_no_event_id_is_refused() -> None:
    """A record of somebody else's in the topic is an error of its own."""
    with pytest.raises(InvalidRecord):
        Memory(100, 0).absorb("42", None, NOW)


@pytest.mark.parametrize(
    ("before", "rows", "fresh"),
    [
        ([], [7], [(0, 0)]),
        ([], [7, 9, 7], [(0, 0), (1, 1)]),  # listed twice by overlap within the page
        ([], [None, None], [(0, 0), (1, 1)]),
        ([None], [None, None], [(0, 1)]),
        ([None], [7], []),
        ([7], [None], []),
        ([7], [9, 7], [(0, 1)]),
        ([9], [9, 7], [(1, 1)]),
        ([7, 9], [None, None], []),
        ([7, 9], [None], []),  # a page may end between them
        ([7, 9], [9, None], []),
        ([7], [9, None], [(0, 1)]),
        ([7], [None, 9, None], [(1, 1), (0, 2)]),
    ],
)
def test_rest_decides_how_many(before: list[int | None], rows: list[int | None], fresh: list[tuple[int, int]]) -> None:
    """The greatest of: published, different indexes ever, rows of the page; unseen indexes go first."""
    memory = Memory(100, 0)
    for channel, log_index in enumerate(before):
        memory.decide(X, ("primary-0", channel, "sub"), log_index, NOW)
    assert memory.reconcile(X, rows, NOW) == (fresh, len(rows) - len(fresh))
    assert memory.reconcile(X, rows, NOW) == ([], len(rows))


def test_the_floor_rises_with_what_is_forgotten() -> None:
    """
    Everything published from the floor on is known.

    published at:   101 102 103 | 104 105 106 | 107
    generations:      dropped        old        young     floor: just after 103
    """
    memory = Memory(2, floor_ms=50)
    floors = []
    for now_ms in range(101, 108):
        memory.decide(str(now_ms), A, None, now_ms)
        floors.append(memory.floor_ms)
    assert floors == [50, 50, 50, 50, 50, 104, 104]
    assert ["103" in memory, "104" in memory] == [False, True]


def test_a_wallet_can_be_deepened() -> None:
    """Older records of one wallet are read on demand; the others' floor stays."""
    memory = Memory(2, floor_ms=20_000)
    assert not memory.reaches("w", 15)
    assert memory.deepened("w", 10_000, [(f"{X}-0", 7)], 30_000)
    assert (memory.floor_of("w"), memory.floor_of("v"), memory.floor_ms) == (10_000, 20_000, 20_000)
    assert (memory.reaches("w", 15), memory.reaches("v", 15)) == (True, False)
    assert memory.decide(X, A, 7, 30_000) == DUPLICATE


def test_a_block_may_be_stamped_ahead_of_our_clock() -> None:
    """So what reaches to the floor exactly may have been published just before it; 5 s are left between."""
    memory = Memory(10, floor_ms=20_000)
    assert [memory.reaches("w", second) for second in (20, 24, 25)] == [False, False, True]
    assert Memory(10, floor_ms=0).reaches("w", 0)


def test_a_deepened_wallet_lasts_for_a_long_back_fill() -> None:
    """A generation may grow to four times the size; when it is complete, the wallet is shallow again."""
    memory = Memory(10, floor_ms=20_000)
    assert memory.deepened("w", 10_000, ((f"{number:032x}-0", None) for number in range(40)), 30_000)
    assert memory.floor_of("w") == 10_000
    memory.decide(X, A, 7, 30_000)
    assert memory.floor_of("w") == memory.floor_ms == 20_000


def test_a_wallet_too_busy_to_be_deepened_is_reported() -> None:
    """More than the memory may hold: it stays shallow, rather than claim what it forgot."""
    memory = Memory(10, floor_ms=20_000)
    assert not memory.deepened("w", 10_000, ((f"{number:032x}-0", None) for number in range(41)), 30_000)
    assert memory.floor_of("w") == 20_000


@given(
    st.lists(st.tuples(st.sampled_from("adx"), st.integers(0, 9), st.integers(0, 9)), max_size=60), st.integers(1, 5)
)
def test_what_the_memory_reaches_it_knows(steps: list[tuple[str, int, int]], size: int) -> None:
    """
    Orders are decided on some time after their execution, the memory is small, a wallet is deepened now and then.

    Whatever it says it reaches down to, it remembers; the oracle is the list of all that was published.
    """
    now, memory, log = 100_000, Memory(size, floor_ms=100_000), list[tuple[int, str, int]]()
    for number in range(3):
        log.append((90_000 + number, f"{number:032x}", 80 + number))
    for kind, pause, age in steps:
        now += pause * 1000
        if kind == "x":
            down_to = now - age * 4000
            older = [(f"{content}-0", None) for at, content, _ in log if at >= down_to]
            assert memory.deepened("w", down_to, older, now) == (memory.floor_of("w") <= down_to)
        else:
            content = f"{len(log):032x}"
            if kind == "a":
                memory.absorb(f"{content}-0", None, now)
            else:
                memory.decide(content, A, None, now)
            log.append((now, content, now // 1000 - age))
        for _, content, second in log:
            assert not memory.reaches("w", second) or content in memory


def test_bytes_per_content() -> None:
    """Delivered by two sockets, as with a mirror: what the documentation says."""
    contents = [f"{number:032x}" for number in range(20_000)]
    tracemalloc.start()
    try:
        memory = Memory(100_000, 0)
        for number, content in enumerate(contents):
            memory.decide(content, A, 10_000 + number, NOW)
            memory.decide(content, ("mirror-0", 1, "sub"), 10_000 + number, NOW)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used / len(contents) + 81 < 300  # 81: the text itself, which was there before
