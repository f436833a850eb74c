"""
The prices of one outcome over time, as many as it takes to tell how far they have moved in each window.

"Last" is by place on the chain. Of each bucket of a window the last price counts, so now and then prices are thinned
out to one per bucket of the shortest window that still holds them: at most 60 a window are kept, and `_MORE`. What
prices tell does not depend on the order of arrival, as far as orders come within the longest window.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from connector.contract.errors import InvalidRecord
from streams.stats.buckets import BUCKETS, LEVELS, WIDTHS, level_of

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord

Rank = tuple[int, int, int, bytes]
"""Place of an order on the chain; see `rank_of`."""

_DIGITS = 32
_MORE = 32
_second = attrgetter("second")
_rank = attrgetter("rank")


def rank_of(order: OrderRecord, clock: int) -> Rank:
    """
    Return the place of an order on the chain: time, block, log index, id.

    Time, which blocks follow, comes first because only some orders know their block, and all are to
    be comparable. A time after the clock (seconds) counts as the clock: it would hide all later orders.

    Raises:
        InvalidRecord: the id of the order does not begin with 32 hex digits.
    """
    block, index = order.block_number, order.log_index
    try:
        content = bytes.fromhex(order.event_id[:_DIGITS])
    except ValueError as error:
        raise InvalidRecord(f"event_id: expected 32 hex digits first, got {order.event_id!r}") from error
    return (min(order.timestamp, clock), -1 if block is None else block, -1 if index is None else index, content)


class Price(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """USDC per share, at the second at which the order counts."""

    second: int
    rank: Rank
    price: float


class Prices(msgspec.Struct, array_like=True, gc=False):
    """Changed by `add` only: a later time is an argument. Times are whole seconds."""

    room: int = _MORE
    """How many may be held before they are thinned out again."""
    held: list[Price] = []
    """By second, one of each second at most."""

    def add(self, second: int, rank: Rank, price: float, *, clock: int) -> None:
        """Note a price of time `second`, not after the clock."""
        held, new = self.held, Price(second, rank, price)
        if len(held) >= self.room:
            held = self.held = _thinned(held, clock)
            self.room = len(held) + _MORE
        if not held or held[-1].second < second:
            held.append(new)
            return
        place = bisect_left(held, second, key=_second)
        if held[place].second != second:
            held.insert(place, new)
        elif rank > held[place].rank:
            held[place] = new

    def first(self, level: int, clock: int) -> float | None:
        """
        Return the price at the beginning of window `level`: the last of its oldest bucket that has one.

        None unless a later bucket of the window has one too.
        """
        held, width = self.held, WIDTHS[level]
        start = bisect_left(held, (clock // width - BUCKETS + 1) * width, key=_second)
        if start == len(held):
            return None
        end = bisect_left(held, (held[start].second // width + 1) * width, lo=start, key=_second)
        return None if end == len(held) else max(held[start:end], key=_rank).price


def _thinned(held: list[Price], clock: int) -> list[Price]:
    """Return the last of each bucket of the shortest window that holds it; windows only move on, so that will do."""
    kept: dict[tuple[int, int], Price] = {}
    for price in held:
        level = level_of(price.second, clock)
        if level < LEVELS:
            bucket = (level, price.second // WIDTHS[level])
            known = kept.get(bucket)
            if known is None or price.rank > known.rank:
                kept[bucket] = price
    return list(kept.values())
