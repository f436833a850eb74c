from __future__ import annotations

from itertools import islice
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.order import parse_order
from connector.contract.record import order_record
from connector.simulator.market import GeneratedMarket
from connector.simulator.population import EXCHANGE
from streams.fold import MarketFold
from streams.stats.buckets import SPANS
from streams.stats.market import MarketState
from streams.stats.verdict import Verdict
from tests.support.logs import MARKETS, START, order
from tests.support.oracle import Logged, market_stats

MARKET = MARKETS[0]
USERS = tuple(f"0x{number:040x}" for number in range(1, 6))
PAUSES = st.sampled_from((0, 0, 0, 1_000, 5_000, 61_000, 599_000, 600_000, 601_000, 3_600_000, 90_000_000))
AGES = st.one_of(st.sampled_from((0, 0, 1, 59, 60, 299, 300, 3_600, 86_400)), st.integers(-2, 90_000))
LATER = st.sampled_from((0, 1, 999, 1_000, 5_000, 60_000, 300_000, 3_600_000, 50_000_000, 90_000_000))


@st.composite
def matches(draw: st.DrawFn) -> list[Logged]:
    """Draw a market's log: rows of few transactions, wallets and seconds, so that they meet, some much too late."""
    log: list[Logged] = []
    clock = START * 1_000
    for offset in range(draw(st.integers(1, 30))):
        clock += draw(PAUSES)
        earlier = [entry.order.timestamp for entry in log[-6:]]
        again = bool(earlier) and draw(st.integers(0, 1)) == 1
        second = draw(st.sampled_from(earlier)) if again else clock // 1_000 - draw(AGES)
        made = order(
            offset,
            at=second - START,
            usdc=draw(st.sampled_from((0.5, 1.0, 3.25, 7.0))),
            side=draw(st.sampled_from(("BUY", "SELL"))),
            price=draw(st.sampled_from((0.01, 0.3, 0.5, 0.97))),
            user=draw(st.sampled_from(USERS)),
            taker=draw(st.sampled_from((None, *USERS))),
            tx_hash="0x" + draw(st.sampled_from("ab")) * 64,
            token_id=draw(st.sampled_from(("1", "2"))),
            block_number=draw(st.sampled_from((None, 7))),
            log_index=draw(st.sampled_from((None, 1, 2))),
        )
        log.append(Logged(made, 0, offset, clock))
    return log


def folded(log: list[Logged], *, clock: int | None = None, remember_every: int = 1_000) -> MarketState:
    """Fold a log, each order at its own time or all at one clock; the state goes through its encoding now and then."""
    state = MarketState()
    for number, entry in enumerate(log):
        state.fold(entry.order, origin=(0, number), clock=entry.append_ms if clock is None else clock)
        if number % remember_every == 0:
            state = MarketState.decode(state.encode())
    return state


@given(log=matches(), later=LATER, remember_every=st.sampled_from((1, 3, 1_000)))
@settings(max_examples=150, deadline=None)
def test_a_market_in_which_rows_meet_equals_the_oracle(log: list[Logged], later: int, remember_every: int) -> None:
    """Volumes without twins, sides and price moves, at any later time and across restarts."""
    state, at = folded(log, remember_every=remember_every), log[-1].append_ms + later
    stats = MarketFold().stats(MARKET, state, at=at, as_of_offset=len(log), partition=0)
    assert msgspec.to_builtins(stats) == market_stats(log, MARKET, partition=0, as_of_offset=len(log), as_of=at)


@given(log=matches(), later=LATER)
@settings(max_examples=50, deadline=None)
def test_what_rules_read_is_what_is_published_and_looking_changes_nothing(log: list[Logged], later: int) -> None:
    """At the clock and at a later time; the state stays as it was, byte for byte."""
    state, clock = folded(log), log[-1].append_ms
    before = state.encode()
    for at, asked in ((clock, None), (clock + later, clock + later)):
        view = state.view(at)
        for level, span in enumerate(SPANS):
            window = view[span.name]
            assert state.consensus(level, asked) == window.consensus
            assert state.disagreement(level, asked) == window.disagreement
    for outcome in state.outcome_views(clock):
        read = state.outcomes[outcome.token_id]
        for level, span in enumerate(SPANS):
            shown = outcome.windows[span.name]
            assert (read.buyers(level), read.sellers(level)) == (shown.buyers, shown.sellers)
            assert (read.sums(level).volume, read.price_move(level)) == (shown.volume, shown.price_move)
    assert state.encode() == before


@given(log=matches(), later=LATER)
@settings(max_examples=50, deadline=None)
def test_next_change_is_the_first_moment_a_view_differs(log: list[Logged], later: int) -> None:
    """Outcomes never change before their market does."""
    state, at = folded(log), log[-1].append_ms + later
    change = state.next_change(at)
    if change is None:
        assert all(window.orders == 0 for window in state.view(at).values())
    else:
        assert state.outcome_views(change - 1) == state.outcome_views(at)
        assert state.view(change - 1) == state.view(at) != state.view(change)


@given(log=matches(), seed=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_market_does_not_depend_on_the_order_of_arrival(log: list[Logged], seed: Random) -> None:
    """When all arrive at one clock, every permutation ends in the same statistics."""
    clock = max(entry.append_ms for entry in log)
    shuffled = list(log)
    seed.shuffle(shuffled)
    one, other = folded(log, clock=clock), folded(shuffled, clock=clock)
    assert one.view(clock) == other.view(clock)
    assert one.outcome_views(clock) == other.outcome_views(clock)


@given(log=matches(), cut=st.integers(1, 30), back=st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_what_is_forwarded_again_changes_nothing(log: list[Logged], cut: int, back: int) -> None:
    """A crash repeats the last orders of an origin: neither volumes nor sides count them twice."""
    once, again = MarketState(), MarketState()
    for number, entry in enumerate(log):
        once.fold(entry.order, origin=(0, number), clock=entry.append_ms)
        again.fold(entry.order, origin=(0, number), clock=entry.append_ms)
        if number == cut:
            for repeated in range(max(0, number - back), number + 1):
                verdict = again.fold(log[repeated].order, origin=(0, repeated), clock=entry.append_ms)
                assert verdict is Verdict.DUPLICATE
    assert once == again


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_a_market_of_which_everyone_is_watched_is_told_once(seed: int) -> None:
    """Matches within and across outcomes, makers filled in parts, equal fills, blocks in any order."""
    rng = Random(seed)
    generated = GeneratedMarket(rng, rate=40.0, burst=40, wallets=9, markets=2, twins=0.2)
    rows = [
        row | {"timestamp": START + row["block_number"] - 82_000_000}
        for batch in islice(generated.batches(), 20)
        for row in batch.rows
    ]
    market = rows[0]["condition_id"]
    rows = sorted(
        (row for row in rows if row["condition_id"] == market), key=lambda row: (row["timestamp"], rng.random())
    )
    orders = [order_record(parse_order(row), f"{number:032x}", 0) for number, row in enumerate(rows)]
    log = [Logged(made, 0, offset, made.timestamp * 1_000 + 900) for offset, made in enumerate(orders)]
    state, at = folded(log), log[-1].append_ms
    stats = MarketFold().stats(market, state, at=at, as_of_offset=len(log), partition=0)
    assert msgspec.to_builtins(stats) == market_stats(log, market, partition=0, as_of_offset=len(log), as_of=at)
    taken = sum(made.notional_micros for made in orders if made.taker == EXCHANGE)
    assert taken <= stats.windows["24h"].volume < sum(made.notional_micros for made in orders)


@given(log=matches())
@settings(max_examples=50, deadline=None)
def test_no_volume_is_negative_and_none_exceeds_the_sum(log: list[Logged]) -> None:
    """However wallets name each other: a correction lies in the second of the rows that it corrects."""
    state = folded(log)
    for at in range(log[-1].append_ms, log[-1].append_ms + 90_000_000, 7_000_000):
        for level, window in enumerate(state.view(at).values()):
            sums = state.windows.at(at // 1_000).sums(level)
            assert 0 <= window.volume <= sums.bought + sums.sold
        for outcome in state.outcome_views(at):
            assert all(window.volume >= 0 for window in outcome.windows.values())
