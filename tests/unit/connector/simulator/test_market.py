"""The generated market."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.order import parse_order
from connector.simulator.market import GeneratedMarket
from connector.simulator.population import EXCHANGE

if TYPE_CHECKING:
    from connector.simulator.timeline import Batch


def batches_of(seed: int, *, rate: float = 50.0, burst: int = 100, wallets: int = 200, number: int = 60) -> list[Batch]:
    """Return the first batches of a market."""
    market = GeneratedMarket(Random(seed), rate=rate, burst=burst, wallets=wallets)
    return list(islice(market.batches(), number))


def rows_of(batches: list[Batch]) -> list[dict[str, Any]]:
    """Return all rows."""
    return [row for batch in batches for row in batch.rows]


@settings(max_examples=20, deadline=None)
@given(st.integers(), st.floats(0.2, 400), st.integers(1, 100), st.integers(1, 50))
def test_a_market_is_its_seed(seed: int, rate: float, burst: int, wallets: int) -> None:
    """The same settings give the same batches; they are bounded, and in order of time."""
    first = batches_of(seed, rate=rate, burst=burst, wallets=wallets, number=20)
    assert first == batches_of(seed, rate=rate, burst=burst, wallets=wallets, number=20)
    assert all(1 <= len(batch.rows) <= burst for batch in first)
    assert [batch.at for batch in first] == sorted(batch.at for batch in first)


@settings(max_examples=20, deadline=None)
@given(st.integers())
def test_every_row_is_a_valid_order(seed: int) -> None:
    """The contract accepts what the market makes, once a time is stamped on it."""
    for row in rows_of(batches_of(seed, number=5)):
        parse_order(row | {"timestamp": 1_700_000_000})


def test_rows_of_a_block_have_rising_log_indexes() -> None:
    """(block_number, log_index) identifies a row, and grows."""
    rows = rows_of(batches_of(3))
    positions = [(row["block_number"], row["log_index"]) for row in rows]
    assert positions == sorted(set(positions))


def test_a_match_is_several_fills_and_the_takers_row() -> None:
    """One transaction: makers name the taker, the taker's row comes last, names the exchange and holds the sum."""
    transactions = defaultdict(list)
    for row in rows_of(batches_of(3))[:-10]:
        transactions[row["tx_hash"]].append(row)
    assert {len(rows) for rows in transactions.values()} >= {2, 3, 4, 5}
    for *makers, taker in list(transactions.values())[:-1]:
        assert taker["taker"] == EXCHANGE
        assert {row["taker"] for row in makers} == {taker["user"]}
        assert taker["shares"] == sum(row["shares"] for row in makers)


def test_fills_repeat_in_the_ways_real_ones_do() -> None:
    """Partial fills share an order hash across transactions; twins differ only in their log index; both sides trade."""
    rows = rows_of(batches_of(3))
    transactions = defaultdict(set)
    for row in rows:
        transactions[row["order_hash"]].add(row["tx_hash"])
    assert any(len(hashes) > 1 for hashes in transactions.values())
    twins = Counter(tuple(value for name, value in row.items() if name != "log_index") for row in rows)
    assert 0 < sum(number - 1 for number in twins.values()) < len(rows) * 0.05
    assert {row["side"] for row in rows} == {"BUY", "SELL"}


def test_twins_are_as_frequent_as_asked() -> None:
    """None, or all fills; a taker's own row has no twin."""
    for twins in (0.0, 1.0):
        market = GeneratedMarket(Random(3), rate=50, burst=100, wallets=200, twins=twins)
        makers = [row for row in rows_of(list(islice(market.batches(), 20)))[:-10] if row["taker"] != EXCHANGE]
        alike = Counter((row["tx_hash"], row["order_hash"], row["shares"]) for row in makers[:-2])
        assert (max(alike.values()) > 1, min(alike.values()) > 1) == (twins > 0, twins > 0)


def test_few_wallets_trade_most_and_blocks_are_bursty() -> None:
    """The busiest tenth has most orders; blocks come every two seconds and some are far larger than others."""
    batches = batches_of(3, number=300)
    wallets = Counter(row["user"] for row in rows_of(batches))
    assert sum(number for _, number in wallets.most_common(20)) > sum(wallets.values()) / 2
    blocks = Counter[float]()
    for batch in batches:
        assert batch.block_at is not None
        blocks[batch.block_at] += len(batch.rows)
    assert all(block % 2 == 0 for block in blocks)
    assert max(blocks.values()) > 3 * min(list(blocks.values())[:-1])


def test_the_rate_holds_on_average() -> None:
    """As asked, roughly over a long stretch of uneven blocks; a steady flow exactly."""
    batches = batches_of(5, rate=50, number=900)
    assert 42 < len(rows_of(batches)) / batches[-1].at < 58
    steady = batches_of(5, rate=50, burst=1, number=3_000)
    assert abs(len(steady) - 50 * steady[-1].at) < 10
