from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from connector.audit import compared, sampled, span
from connector.contract.coverage import CoverageRecord
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance
from connector.dedupe import Memory
from connector.intake import Intake
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from connector.contract.order import Order

NOW = 1_767_556_800_000
TIMES = st.integers(NOW - 200_000, NOW + 1_000)
FILLS = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.integers(1, 3)),
    max_size=6,
    unique_by=lambda fill: fill[0],
)
"""Contents, whether REST tells their `log_index`, and how many equal fills there are."""


def checkpoint(covered_ms: int, since_ms: int | None) -> CoverageRecord:
    """Return what is claimed of a wallet."""
    return CoverageRecord(
        wallet=WALLET,
        standing="live",
        owner="a",
        since_ms=since_ms,
        covered_until_ms=covered_ms,
        verified_until_ms=covered_ms,
        at_ms=NOW,
    )


@given(TIMES, TIMES, TIMES | st.just(0), st.floats(0, 1, exclude_max=True))
def test_only_what_is_claimed_settled_and_seen_is_audited(
    covered_ms: int, since_ms: int, floor_ms: int, uniform: float
) -> None:
    """
    Neither what was not wanted, nor what may be under way still, nor what was appended before we began to read.

        since, floor ...... |<------ audited ------>| overlap | covered
                                                    | overlap | settle | now
    """
    claimed = checkpoint(covered_ms, since_ms)
    whole = span(claimed, floor_ms, NOW, settle_ms=15_000, overlap_ms=30_000)
    latest = min(covered_ms, NOW - 15_000) - 30_000
    if whole is None:
        assert latest - max(since_ms, floor_ms) < 2_000, "less than a second, after rounding to one"
        return
    start_ms, end_ms = sampled(whole, uniform)
    assert max(since_ms, floor_ms) <= start_ms < end_ms <= latest
    assert start_ms % 1_000 == 0, "orders tell whole seconds"


def test_what_was_wanted_has_to_be_known() -> None:
    """Orders from before the watch are in REST, and not in the topic."""
    assert span(checkpoint(NOW, None), 0, NOW, settle_ms=15_000, overlap_ms=30_000) is None


def _page(fills: list[tuple[int, bool, int]]) -> list[Order]:
    """Return the rows of REST, newest first."""
    orders = []
    for content, indexed, count in fills:
        for number in range(count):
            row = order_data(
                shares=1_000_000 + content,
                shares_normalized=None,
                log_index=content * 10 + number if indexed else None,
                timestamp=NOW // 1_000 - content,
            )
            orders.append(parse_order(row))
    return orders


def _published(orders: list[Order]) -> list[str]:
    """Return the event ids under which the connector publishes them."""
    provenance = Provenance(source="backfill", provider="dome", received_ns=0)
    rows = Intake().rows(orders, Memory(100, 0), provenance, NOW)
    return [record.event_id or "" for record in rows.fresh]


@given(FILLS, st.data())
def test_exactly_what_is_withheld_is_missing(fills: list[tuple[int, bool, int]], data: st.DataObject) -> None:
    """Whichever orders the topic lacks, twins with and without `log_index` among them: the ids that repairs give."""
    orders = _page(fills)
    ids = _published(orders)
    withheld = set(data.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else set()
    result = compared(orders, set(ids) - withheld, (0, NOW))
    assert set(result.missing) == withheld
    assert result.found == len(orders) - len(withheld)


@given(FILLS)
def test_what_lies_outside_the_interval_says_nothing(fills: list[tuple[int, bool, int]]) -> None:
    """A page may hold more than was asked for: those orders may be too young to be claimed."""
    orders, end_ms = _page(fills), NOW - 2_000
    result = compared(orders, set(), (0, end_ms))
    assert {order.timestamp * 1_000 <= end_ms for order in result.missing.values()} <= {True}
    assert len(result.missing) == sum(order.timestamp * 1_000 <= end_ms for order in orders)


@given(FILLS, st.data())
def test_a_corrected_memory_publishes_what_is_missing_and_nothing_else(
    fills: list[tuple[int, bool, int]], data: st.DataObject
) -> None:
    """The topic lost the last fills of some contents: with its memory corrected, the repair brings back just those."""
    orders = _page(fills)
    memory, provenance = Memory(100, 0), Provenance(source="backfill", provider="dome", received_ns=0)
    ids = [record.event_id or "" for record in Intake().rows(orders, memory, provenance, NOW).fresh]
    kept = {content: data.draw(st.integers(0, memory.published(content))) for content in {i[:32] for i in ids}}
    held = {event for event in ids if int(event[33:]) < kept[event[:32]]}
    lost = set(compared(orders, held, (0, NOW)).missing)
    indexes = {event: _index(orders, event, ids) for event in held}
    for content in {event[:32] for event in lost}:
        memory.corrected(content, [each for each in indexes.items() if each[0][:32] == content])
        assert memory.published(content) == kept[content]
    again = Intake().rows(orders, memory, provenance, NOW)
    assert {record.event_id for record in again.fresh} == lost == set(ids) - held


def _index(orders: list[Order], event: str, ids: list[str]) -> int | None:
    """Return the `log_index` with which the topic holds an order: ids were given oldest first."""
    oldest_first = sorted(orders, key=lambda order: (order.timestamp, order.log_index or 0))
    return oldest_first[ids.index(event)].log_index
