"""The audit is the demo's judge: each kind of fault must turn it, alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.contract.record import encode, order_record
from connector.local.audit import Audit, audit, caught_up
from connector.local.seen import Seen

WALLET = "0x" + "a1" * 20
OTHER = "0x" + "b2" * 20


def row(number: int, wallet: str = WALLET) -> dict[str, Any]:
    """Return an order of the book; equal numbers are equal fills."""
    return {
        "user": wallet,
        "token_id": "7",
        "side": "BUY",
        "shares": 1_000_000 + number,
        "price": 0.5,
        "tx_hash": f"0x{number:064x}",
        "timestamp": 1_700_000_000,
    }


def published(number: int, occurrence: int = 0, *, wallet: str = WALLET) -> Seen:
    """Return the record of an order in the topic."""
    order = parse_order(row(number, wallet))
    return Seen(0, number, 0, None, encode(order_record(order, content_id(order), occurrence)), ())


def statistics(orders: int, *, wallet: str = WALLET, as_of_offset: int = 99, partition: int = 0, late: int = 0) -> Seen:
    """Return a statistics record that counts `orders`."""
    value = {
        "wallet": wallet,
        "partition": partition,
        "as_of_offset": as_of_offset,
        "windows": {"1h": {"orders": 0}, "24h": {"orders": orders}},
        "late": late,
    }
    return Seen(partition, 0, 0, wallet.encode(), msgspec.json.encode(value), ())


def found(book: list[dict[str, Any]], orders: list[Seen], stats: list[Seen]) -> Audit:
    """Audit with one watched wallet, written in capitals."""
    return audit(book, orders, stats, watched=[WALLET.upper().replace("X", "x")])


def test_a_complete_topic_is_clean() -> None:
    """Each watched order once, counted once; other wallets' orders are nobody's concern."""
    result = found([row(1), row(2), row(3, OTHER)], [published(1), published(2)], [statistics(2)])
    assert result.clean
    assert (result.executed, result.published) == (2, 2)


def test_a_missing_order_is_found() -> None:
    """What the book holds and the topic does not is missing, and named."""
    result = found([row(1), row(2)], [published(1)], [statistics(1)])
    assert (result.missing, result.duplicates, result.clean) == (1, 0, False)
    assert result.examples == (f"missing {content_id(parse_order(row(2)))}",)


def test_an_event_id_that_comes_again_is_a_duplicate() -> None:
    """The same record twice is double, even though nothing is missing."""
    result = found([row(1)], [published(1), published(1)], [statistics(1)])
    assert (result.missing, result.duplicates, result.clean) == (0, 1, False)


def test_one_fill_under_two_ids_is_a_duplicate() -> None:
    """A second occurrence that never happened is double, though its id is new."""
    result = found([row(1)], [published(1, 0), published(1, 1)], [statistics(2)])
    assert (result.missing, result.duplicates, result.clean) == (0, 1, False)


def test_twins_are_two_orders() -> None:
    """Two equal fills need two ids: both published is clean, one published is one missing."""
    book = [row(1), row(1)]
    assert found(book, [published(1, 0), published(1, 1)], [statistics(2)]).clean
    assert found(book, [published(1, 0)], [statistics(1)]).missing == 1


def test_twins_under_one_id_are_one_missing_and_one_double() -> None:
    """Consumers that drop by id would lose the second."""
    result = found([row(1), row(1)], [published(1, 0), published(1, 0)], [statistics(1)])
    assert (result.missing, result.duplicates) == (1, 1)


def test_an_order_that_nobody_executed_is_found() -> None:
    """The topic may not hold more than the book."""
    result = found([row(1)], [published(1), published(2)], [statistics(2)])
    assert (result.unknown, result.duplicates, result.clean) == (1, 0, False)


def test_statistics_that_count_wrongly_are_found() -> None:
    """Too few, too many, or none at all."""
    for stats, counted in (([statistics(1)], 1), ([statistics(3)], 3), ([], 0)):
        result = found([row(1), row(2)], [published(1), published(2)], stats)
        assert result.miscounted == {WALLET: (2, counted)}
        assert not result.clean


def test_only_the_newest_statistics_count() -> None:
    """Records of lower offset are older, wherever they are in the topic; late orders are counted too."""
    stats = [statistics(1, as_of_offset=5, late=1), statistics(9, as_of_offset=4)]
    assert found([row(1), row(2)], [published(1), published(2)], stats).clean


def test_a_duplicate_that_streams_dropped_is_no_miscount() -> None:
    """Statistics are compared with the distinct orders of the topic."""
    assert found([row(1)], [published(1), published(1)], [statistics(1)]).miscounted == {}


def test_caught_up_means_the_end_of_every_partition() -> None:
    """
    Ends are the next offsets; empty partitions need nothing.

        partition 0   end 5, statistics reach 4   done
        partition 1   end 3, statistics reach 1   behind
        partition 2   end 0                       done
    """
    reached = [statistics(1, as_of_offset=4), statistics(1, as_of_offset=2, partition=0)]
    assert caught_up({0: 5, 2: 0}, reached)
    assert not caught_up({0: 5, 1: 3, 2: 0}, [*reached, statistics(1, as_of_offset=1, partition=1)])


@given(
    st.lists(st.integers(0, 5), max_size=12),
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), max_size=12),
)
def test_clean_if_and_only_if_every_fill_is_there_once(book: list[int], topic: list[tuple[int, int]]) -> None:
    """Against the definition: n equal fills in the book, n different ids in the topic, each once."""
    ids = Counter(topic)
    per_content = Counter(number for number, _ in ids)
    expected = all(count == 1 for count in ids.values()) and per_content == Counter(book)
    stats = [statistics(len(ids))] if ids else []
    result = found([row(number) for number in book], [published(*each) for each in topic], stats)
    assert result.clean == expected
