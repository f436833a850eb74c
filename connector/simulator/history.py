"""Orders by time, for REST: whole, by wallet, by market, by token."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.simulator.book import Executed

Position = tuple[int, int]
"""Timestamp in seconds and sequence number: the total order in which REST pages."""
Field = Literal["user", "condition_id", "market_slug", "token_id"]
FIELDS: tuple[Field, ...] = ("user", "condition_id", "market_slug", "token_id")


class History:
    """Positions of all orders, sorted, under each value of each field."""

    def __init__(self) -> None:
        self._all: list[Position] = []
        self._by: dict[tuple[Field, str], list[Position]] = {}

    def add(self, order: Executed) -> None:
        """Enter an order; cheap when times rise, as they mostly do."""
        position = (order.timestamp, order.seq)
        _insert(self._all, position)
        for field in FIELDS:
            value = getattr(order, field)
            if value:
                _insert(self._by.setdefault((field, value), []), position)

    def newest_first(
        self, filtered: tuple[Field, str] | None, *, start: int | None, end: int | None, before: Position | None = None
    ) -> Iterator[Position]:
        """Yield positions in [start, end] seconds, both inclusive, below `before`, from the newest on."""
        positions, low, high = self._range(filtered, start, end)
        if before is not None:
            high = min(high, bisect_left(positions, before))
        return (positions[index] for index in range(high - 1, low - 1, -1))

    def count(self, filtered: tuple[Field, str] | None, *, start: int | None, end: int | None) -> int:
        """Return how many positions `newest_first` would yield, without looking at them."""
        _, low, high = self._range(filtered, start, end)
        return max(0, high - low)

    def _range(
        self, filtered: tuple[Field, str] | None, start: int | None, end: int | None
    ) -> tuple[list[Position], int, int]:
        positions = self._all if filtered is None else self._by.get(filtered, [])
        low = 0 if start is None else bisect_left(positions, (start, 0))
        high = len(positions) if end is None else bisect_left(positions, (end + 1, 0))
        return positions, low, high


def _insert(positions: list[Position], position: Position) -> None:
    if not positions or positions[-1] < position:
        positions.append(position)
    else:
        insort(positions, position)
