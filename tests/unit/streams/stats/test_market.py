from __future__ import annotations

import pytest

from streams.stats.market import MarketState
from streams.stats.verdict import Verdict
from tests.support.logs import START, order

NOW = START * 1_000


def folded(*prices: tuple[int, int | None, int | None, float]) -> MarketState:
    """Return a market after orders of (time, block, log index, price), in this order of arrival."""
    state = MarketState()
    for number, (at, block, index, price) in enumerate(prices):
        made = order(number, at=at, price=price, block_number=block, log_index=index)
        state.fold(made, origin=(0, number), clock=NOW + 60_000)
    return state


@pytest.mark.parametrize(
    ("prices", "last"),
    [
        ([(2, None, None, 0.6), (1, None, None, 0.4)], 0.6),  # by time
        ([(1, 8, 0, 0.6), (1, 7, 9, 0.4)], 0.6),  # by block within a second
        ([(1, 7, 10, 0.6), (1, 7, 9, 0.4)], 0.6),  # by log index within a block
        ([(1, None, None, 0.6), (1, None, None, 0.4)], 0.4),  # by id where nothing else is known
        ([(1, 7, 0, 0.6), (1, None, None, 0.4)], 0.6),  # a known block goes before an unknown one
    ],
)
def test_the_last_price_is_the_newest_on_the_chain(
    prices: list[tuple[int, int | None, int | None, float]], last: float
) -> None:
    """Arrival has no say in it."""
    assert folded(*prices).outcome_views(NOW + 60_000)[0].last_price == last


def test_outcomes_are_kept_apart() -> None:
    """Each has its flow; the market has the sum, and each wallet once."""
    state = MarketState()
    trades = [("1", "BUY", 2.0, 1), ("2", "BUY", 3.0, 1), ("1", "SELL", 1.0, 2)]
    for number, (token, side, usdc, user) in enumerate(trades):
        made = order(number, usdc=usdc, side=side, token_id=token, user=f"0x{user:040x}")  # type: ignore[arg-type]
        assert state.fold(made, origin=(0, number), clock=NOW) is Verdict.APPLIED
    minute = state.view(NOW)["1m"]
    assert (minute.orders, minute.wallets, minute.volume, minute.net_flow) == (3, 2, 6_000_000, 4_000_000)
    flows = {view.token_id: view.windows["1m"] for view in state.outcome_views(NOW)}
    assert {token: (flow.orders, flow.net_flow) for token, flow in flows.items()} == {
        "1": (2, 1_000_000),
        "2": (1, 3_000_000),
    }


def test_an_outcome_decays_without_orders_of_its_own() -> None:
    """A quiet outcome's windows are brought to the time that is looked at."""
    state = MarketState()
    state.fold(order(1, token_id="1"), origin=(0, 1), clock=NOW)
    state.fold(order(2, at=70, token_id="2"), origin=(0, 2), clock=NOW + 70_000)
    quiet = state.outcome_views(NOW + 70_000)[0].windows
    assert (quiet["1m"].orders, quiet["5m"].orders) == (0, 1)


def test_a_market_keeps_the_names_it_has_heard() -> None:
    """Metadata that an order leaves empty is not forgotten."""
    state = MarketState()
    state.fold(order(1, market_slug="a", title="A?"), origin=(0, 1), clock=NOW)
    state.fold(order(2, token_label=None), origin=(0, 2), clock=NOW)
    assert (state.slug, state.title, state.outcome_views(NOW)[0].label) == ("a", "A?", "Yes")


def test_a_market_state_survives_its_encoding() -> None:
    """The value of the state topic is the whole state."""
    state = folded((0, 1, 1, 0.5), (1, None, None, 0.25))
    assert MarketState.decode(state.encode()) == state
    assert state.next_change(NOW + 60_000) == NOW + 61_000


def test_a_market_state_is_bounded() -> None:
    """A busy outcome takes a bounded number of bytes, whatever the number of orders."""
    state = MarketState()
    for number in range(5_000):
        state.fold(order(number, at=number * 7), origin=(0, number), clock=NOW + number * 7_000)
    assert len(state.encode()) < 20_000
