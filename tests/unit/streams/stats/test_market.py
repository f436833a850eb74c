from __future__ import annotations

import msgspec
import pytest

from connector.contract.errors import InvalidRecord
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


def test_sides_are_counted_by_wallets() -> None:
    """
    Who did both is on both sides.

    wallet   1            2            3             4
    Yes      buys twice   buys, sells  buys          sells
    No       sells        -            -             -
    """
    state = MarketState()
    trades = [("1", "BUY", 1), ("1", "BUY", 1), ("1", "BUY", 2), ("1", "SELL", 2), ("1", "BUY", 3), ("1", "SELL", 4)]
    for number, (token, side, user) in enumerate([*trades, ("2", "SELL", 1)]):
        made = order(number, side=side, token_id=token, user=f"0x{user:040x}")  # type: ignore[arg-type]
        state.fold(made, origin=(0, number), clock=NOW)
    yes, no = (state.outcomes[token] for token in ("1", "2"))
    assert (yes.buyers(0), yes.sellers(0), no.buyers(0), no.sellers(0)) == (3, 2, 0, 1)
    assert (state.consensus(0), state.disagreement(0)) == (3, 2)


def test_sides_decay_with_the_market() -> None:
    """
    An outcome without orders of its own keeps up with the clock, and a later time can be asked for.

    second             0           30        60              90
    Yes                1, 2 buy                              -
    No                             3 sells   1 sells         -
    consensus of 1m    2           2         2 (No: 3, 1)    1
    """
    state = MarketState()
    for number, (at, token, side, user) in enumerate(
        [(0, "1", "BUY", 1), (0, "1", "BUY", 2), (30, "2", "SELL", 3), (60, "2", "SELL", 1)]
    ):
        made = order(number, at=at, side=side, token_id=token, user=f"0x{user:040x}")  # type: ignore[arg-type]
        state.fold(made, origin=(0, number), clock=NOW + at * 1_000)
    assert state.outcomes["1"].buyers(0) == 0
    assert [state.consensus(0, NOW + at * 1_000) for at in (60, 89, 90, 120)] == [2, 2, 1, 0]
    assert state.consensus(0) == 2


def test_the_largest_order_of_an_outcome_is_of_either_side() -> None:
    """Money is money."""
    state = MarketState()
    for number, (side, usdc) in enumerate((("BUY", 2.0), ("SELL", 5.0), ("BUY", 3.0))):
        state.fold(order(number, side=side, usdc=usdc), origin=(0, number), clock=NOW)  # type: ignore[arg-type]
    assert state.outcomes["1"].largest(0) == 5_000_000
    assert state.outcomes["1"].at(START + 60).largest(0) == 0


def test_a_market_is_known_since_its_first_record() -> None:
    """By the log's clock, however old the order was."""
    state = MarketState()
    state.fold(order(1, at=-100_000), origin=(0, 1), clock=NOW + 999)
    state.fold(order(2, at=5), origin=(0, 2), clock=NOW + 5_000)
    assert MarketState.decode(state.encode()).first_seen == START


@pytest.mark.parametrize(
    ("field", "value"), [("tx_hash", "0xnope"), ("user", "x"), ("taker", "0x?"), ("event_id", "nonsense")]
)
def test_a_malformed_id_is_refused_and_the_market_is_as_it_was(field: str, value: str) -> None:
    """A poison record can be set aside without harm to the market."""
    state = MarketState()
    state.fold(order(1), origin=(0, 1), clock=NOW)
    before = state.encode()
    with pytest.raises(InvalidRecord, match="expected"):
        state.fold(msgspec.structs.replace(order(2), **{field: value}), origin=(0, 2), clock=NOW)
    assert state.encode() == before


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


def test_a_time_in_the_future_hides_no_later_price() -> None:
    """It counts as the time of its arrival."""
    state = MarketState()
    for number, (at, price) in enumerate(((10**9, 0.9), (70, 0.2))):
        state.fold(order(number, at=at, price=price), origin=(0, number), clock=NOW + 60_000 + number * 10_000)
    assert state.outcome_views(NOW + 70_000)[0].last_price == 0.2
