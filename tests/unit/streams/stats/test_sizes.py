from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.checks import MAX_SHARES
from streams.stats.sizes import bucket_of, count, rank
from streams.stats.wallet import BASELINE_SAMPLES, WalletState
from tests.support.logs import START, order

if TYPE_CHECKING:
    from random import Random

NOW = START * 1_000
NOTIONALS = st.one_of(st.integers(0, 300), st.integers(0, MAX_SHARES))


def histogram(sizes: list[int]) -> dict[int, int]:
    """Return the counts of these sizes."""
    counts: dict[int, int] = {}
    for size in sizes:
        count(counts, size)
    return counts


def brute_force(sizes: list[int], notional: int) -> float:
    """Return the percentile: of each size in the bucket of `notional` a half, of each below it a whole."""
    points = sum(
        1.0 if bucket_of(size) < bucket_of(notional) else 0.5
        for size in sizes
        if bucket_of(size) <= bucket_of(notional)
    )
    return 100.0 * points / len(sizes)


def test_buckets_are_quarter_octaves() -> None:
    """
    Each octave has four, as drawn.

    size     64 .. 79   80 .. 95   96 .. 111   112 .. 127   128 .. 159
    bucket   28         29         30          31           32
    """
    edges = [64, 79, 80, 95, 96, 111, 112, 127, 128, 159]
    assert [bucket_of(edge) for edge in edges] == [28, 28, 29, 29, 30, 30, 31, 31, 32, 32]


@given(NOTIONALS)
def test_a_larger_size_has_no_smaller_bucket_and_one_a_quarter_larger_another(size: int) -> None:
    """Which is the resolution that is documented."""
    assert bucket_of(size) <= bucket_of(size + 1)
    assert bucket_of(size) < bucket_of(size + size // 4 + 1)
    assert 0 <= bucket_of(size) < 220


def test_small_sizes_have_buckets_of_their_own() -> None:
    """Below 8 micro-USDC nothing is rounded."""
    assert all(bucket_of(small) < bucket_of(large) for small, large in pairwise(range(8)))


@given(st.lists(NOTIONALS, min_size=1, max_size=40), NOTIONALS)
def test_the_rank_equals_brute_force(sizes: list[int], notional: int) -> None:
    """Over any sizes, whether or not the one asked for is among them."""
    assert rank(histogram(sizes), notional, without=None, least=1) == pytest.approx(brute_force(sizes, notional))


@given(st.lists(NOTIONALS, min_size=2, max_size=40), NOTIONALS)
def test_an_order_left_out_was_never_there(sizes: list[int], notional: int) -> None:
    """The rank without it is the rank among the others."""
    others = rank(histogram(sizes[1:]), notional, without=None, least=1)
    assert rank(histogram(sizes), notional, without=sizes[0], least=1) == others


@given(st.lists(NOTIONALS, max_size=40), st.randoms(use_true_random=False))
def test_counts_do_not_depend_on_the_order_of_arrival(sizes: list[int], seed: Random) -> None:
    """Every permutation makes the same histogram."""
    shuffled = list(sizes)
    seed.shuffle(shuffled)
    assert histogram(sizes) == histogram(shuffled)


def test_no_size_is_unusual_before_there_are_enough() -> None:
    """The tipping order is none of the twenty."""
    state = WalletState()
    for number in range(BASELINE_SAMPLES):
        state.fold(order(number, usdc=1.0), offset=number, clock=NOW)
    assert state.size_rank(9_000_000, without=1_000_000) == 0.0
    assert state.size_rank(9_000_000) == 100.0
    state.fold(order(99, usdc=9.0), offset=99, clock=NOW)
    assert WalletState.decode(state.encode()).size_rank(9_000_000, without=9_000_000) == 100.0
    assert state.size_rank(1_000_000, without=9_000_000) == 50.0


def test_what_is_in_no_window_has_no_rank() -> None:
    """Late orders are not in the baseline, duplicates count once."""
    state = WalletState()
    for number in (1, 1, 2):
        state.fold(order(number, at=0), offset=0, clock=NOW)
    state.fold(order(3, at=-90_000), offset=1, clock=NOW)
    assert sum(state.sizes.values()) == state.baseline().samples == 2
