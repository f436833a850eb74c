"""Whether the orders that an alert names still lie where it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.effects import LogRecord
    from streams.records import OrderRef


class Places:
    """The orders of an alert, looked for in the records of their topic."""

    def __init__(self, orders: Iterable[OrderRef]) -> None:
        self._wanted = {(order.topic, order.partition, order.offset): order.event_id for order in orders}
        self._found: dict[tuple[str, int, int], bool] = {}

    def spans(self) -> dict[int, tuple[int, int]]:
        """Return first and last offset by partition."""
        spans: dict[int, tuple[int, int]] = {}
        for _, partition, offset in self._wanted:
            first, last = spans.get(partition, (offset, offset))
            spans[partition] = min(first, offset), max(last, offset)
        return spans

    def see(self, record: LogRecord) -> None:
        """Take a record of any topic."""
        place = (record.topic, record.partition, record.offset)
        wanted = self._wanted.get(place)
        if wanted is not None:
            self._found[place] = wanted.encode() in (record.value or b"")

    def missing(self, begins: Mapping[int, int]) -> list[str]:
        """Return a sentence for each order that is not where it was; `begins` are the first offsets retained."""
        said = []
        for place, event_id in self._wanted.items():
            _, partition, offset = place
            if self._found.get(place):
                continue
            if offset < begins.get(partition, 0):
                why = f"is no longer retained, the partition begins at offset {begins[partition]}"
            elif place in self._found:
                why = "is another record: the topic was recreated"
            else:
                why = "is gone"
            said.append(f"order {event_id} at partition {partition} offset {offset} {why}")
        return said
