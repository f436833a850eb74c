from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.errors import InvalidRecord
from streams.fold import MarketFold, WalletFold
from streams.rules.engine import load_rules
from streams.stats.market import MarketState
from streams.stats.verdict import Verdict
from streams.stats.wallet import WalletState
from tests.support.logs import MARKETS, START, WALLET, logs, order
from tests.support.oracle import Logged, market_stats, wallet_stats

EVERY_ORDER = load_rules(
    "rules:\n"
    "  - {id: w, scope: wallet, severity: info, message: x, cooldown: 0s, max_age: 2d, expr: order.price >= 0.0}\n"
)
LATER = st.sampled_from((0, 1, 999, 1_000, 5_000, 59_999, 60_000, 300_000, 3_600_000, 50_000_000, 90_000_000))


def fold_wallet(log: list[Logged], *, remember_every: int = 1_000) -> tuple[WalletState, int]:
    """Fold a log of one wallet; the state goes through its encoding every so many records."""
    state, clock = WalletState(), 0
    for entry in log:
        clock = max(clock, entry.append_ms)
        step = WalletFold().step(state, entry.order, partition=0, offset=entry.offset, clock=clock, source="ws")
        state = step.state
        if entry.offset % remember_every == 0:
            state = WalletState.decode(state.encode())
    return state, clock


def fold_market(log: list[Logged]) -> tuple[MarketState, int]:
    """Fold a log of one market."""
    state, clock = MarketState(), 0
    for entry in log:
        clock = max(clock, entry.append_ms)
        state = MarketFold().step(state, entry.order, origin=(0, entry.offset), clock=clock, source="ws").state
    return state, clock


@given(log=logs(), later=LATER, remember_every=st.sampled_from((1, 3, 1_000)))
@settings(max_examples=60, deadline=None)
def test_wallet_statistics_equal_the_oracle(log: list[Logged], later: int, remember_every: int) -> None:
    """Whatever arrives in whatever order, the statistics at any later time are what brute force says."""
    state, clock = fold_wallet(log, remember_every=remember_every)
    stats = WalletFold().stats(WALLET, state, at=clock + later, as_of_offset=log[-1].offset, partition=0)
    expected = wallet_stats(log, WALLET, partition=0, as_of_offset=log[-1].offset, as_of=clock + later)
    assert msgspec.to_builtins(stats) == expected


@given(log=logs(users=4, repeats=False), later=LATER)
@settings(max_examples=60, deadline=None)
def test_market_statistics_equal_the_oracle(log: list[Logged], later: int) -> None:
    """The same for a market with several wallets and outcomes."""
    log = [entry for entry in log if entry.order.condition_id == MARKETS[0]]
    state, clock = fold_market(log)
    stats = MarketFold().stats(MARKETS[0], state, at=clock + later, as_of_offset=100, partition=0)
    expected = market_stats(log, MARKETS[0], partition=0, as_of_offset=100, as_of=clock + later)
    assert msgspec.to_builtins(stats) == expected


@given(log=logs(), later=LATER)
@settings(max_examples=30, deadline=None)
def test_looking_changes_nothing(log: list[Logged], later: int) -> None:
    """A view at a later time leaves the state as it was, byte for byte."""
    state, clock = fold_wallet(log)
    before = state.encode()
    state.view(clock + later)
    state.next_change(clock + later)
    assert state.encode() == before


@given(log=logs(), later=LATER)
@settings(max_examples=30, deadline=None)
def test_next_change_is_the_first_moment_the_view_differs(log: list[Logged], later: int) -> None:
    """One millisecond before it the view is the same, at it the view differs."""
    state, clock = fold_wallet(log)
    at = clock + later
    change = state.next_change(at)
    if change is None:
        assert all(window.orders == 0 for window in state.view(at).values())
    else:
        assert state.view(change - 1) == state.view(at)
        assert state.view(change) != state.view(at)


@given(log=logs(repeats=False), seed=st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_final_statistics_do_not_depend_on_the_order_of_arrival(log: list[Logged], seed: Random) -> None:
    """When all arrive at one clock, every permutation ends in the same windows."""
    clock = max(entry.append_ms for entry in log)
    shuffled = list(log)
    seed.shuffle(shuffled)
    views = []
    for orders in (log, shuffled):
        state = WalletState()
        for entry in orders:
            state.fold(entry.order, offset=entry.offset, clock=clock)
        views.append(state.view(clock))
    assert views[0] == views[1]


def test_a_duplicate_changes_nothing_and_is_not_forwarded() -> None:
    """The second delivery of an order is told as such, and leaves state and market alone."""
    fold = WalletFold()
    first = fold.step(None, order(1), partition=0, offset=5, clock=START * 1_000, source="ws")
    before = first.state.encode()
    again = fold.step(first.state, order(1), partition=0, offset=6, clock=START * 1_000 + 9_000, source="ws")
    assert (first.verdict, first.forward) == (Verdict.APPLIED, True)
    assert (again.verdict, again.forward) == (Verdict.DUPLICATE, False)
    assert again.state.encode() == before


@given(seed=st.integers(0, 2**32), remember_every=st.sampled_from((7, 1_000)))
@settings(max_examples=20, deadline=None)
def test_statistics_and_alerts_are_exact_whatever_comes_twice_within_ten_minutes(
    seed: int, remember_every: int
) -> None:
    """A busy wallet, a fifth of whose orders come again up to 600 s of the log later: counted once, alerted once."""
    rng, log, first = Random(seed), list[Logged](), list[Logged]()
    clock = START * 1_000
    for offset in range(400):
        clock += rng.choice((0, 0, 100, 1_000, 4_000, 30_000))
        known = [entry for entry in first if entry.append_ms >= clock - 600_000]
        if known and rng.random() < 0.2:
            log.append(Logged(rng.choice(known).order, 0, offset, clock))
        else:
            first.append(Logged(order(offset, at=clock // 1_000 - START, usdc=rng.random()), 0, offset, clock))
            log.append(first[-1])
    fold, state, alerts = WalletFold(EVERY_ORDER), None, []
    for entry in log:
        step = fold.step(state, entry.order, partition=0, offset=entry.offset, clock=entry.append_ms, source="ws")
        state = WalletState.decode(step.state.encode()) if entry.offset % remember_every == 0 else step.state
        alerts += [alert.alert_id for alert in step.alerts]
    assert state is not None
    stats = fold.stats(WALLET, state, at=clock, as_of_offset=399, partition=0)
    assert msgspec.to_builtins(stats) == wallet_stats(log, WALLET, partition=0, as_of_offset=399, as_of=clock)
    assert len(alerts) == len(set(alerts)) == len(first)


def test_a_deadline_that_passed_before_anybody_looked_is_still_due() -> None:
    """
    Who catches up looks at the clock seldom; the alert's end must not be lost in between.

        order, fires 0 s ... over 1 s ......... looked at 5 s
    """
    fold = WalletFold(
        load_rules(
            "rules:\n  - {id: w, scope: wallet, severity: info, message: x, expr: order.price > 0.0,"
            " keep_firing_for: 1s}\n"
        )
    )
    step = fold.step(None, order(1), partition=0, offset=0, clock=START * 1_000, source="ws")
    assert fold.due(step.state, START * 1_000 + 5_000) == START * 1_000 + 1_000
    told = fold.settle(step.state, WALLET, START * 1_000 + 5_000, {})
    assert [(alert.transition, alert.as_of) for alert in told] == [("resolved", START * 1_000 + 1_000)]
    assert fold.settle(step.state, WALLET, START * 1_000 + 5_000, {}) == []


def test_an_order_without_a_market_is_counted_but_not_forwarded() -> None:
    """Live feeds leave market metadata empty: such an order counts for its wallet only."""
    step = WalletFold().step(None, order(1, condition_id=None), partition=0, offset=0, clock=START * 1_000, source="ws")
    assert not step.forward
    assert step.state.view(START * 1_000)["1m"].orders == 1
    assert step.state.view(START * 1_000)["1m"].markets == 0


def test_an_order_older_than_every_window_is_late() -> None:
    """It is counted out loud, in no window, and still goes to its market."""
    step = WalletFold().step(None, order(1), partition=0, offset=0, clock=(START + 86_400) * 1_000, source="backfill")
    assert (step.verdict, step.forward, step.state.late) == (Verdict.LATE, True, 1)
    assert step.state.view((START + 86_400) * 1_000)["24h"].orders == 0


def test_a_market_recognises_what_a_wallet_partition_forwards_again() -> None:
    """After a crash a suffix of one source partition comes again; other partitions are not affected."""
    fold, state = MarketFold(), MarketState()
    origins = [(0, 1), (1, 1), (0, 2), (0, 1), (0, 2), (1, 2)]
    verdicts = [
        fold.step(state, order(number), origin=origin, clock=START * 1_000, source="ws").verdict
        for number, origin in enumerate(origins)
    ]
    assert [verdict is Verdict.APPLIED for verdict in verdicts] == [True, True, True, False, False, True]


@pytest.mark.parametrize("fields", [{"event_id": "nonsense"}, {"event_id": "0" * 32}, {"condition_id": "0xnope"}])
def test_a_malformed_id_is_refused_and_the_state_is_as_it_was(fields: dict[str, str]) -> None:
    """A poison record can be set aside without harm to the wallet."""
    step = WalletFold().step(None, order(1), partition=0, offset=0, clock=START * 1_000, source="ws")
    before = step.state.encode()
    poison = msgspec.structs.replace(order(2), **fields)
    with pytest.raises(InvalidRecord, match=next(iter(fields))):
        WalletFold().step(step.state, poison, partition=0, offset=1, clock=START * 1_000, source="ws")
    assert step.state.encode() == before
