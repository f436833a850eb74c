"""How long partitions were silent. Pure; times in milliseconds."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import ConsumerRecord


class Span(NamedTuple):
    """From a moment to another, unix milliseconds."""

    begin: float
    end: float


class Outputs:
    """When each partition put something out."""

    def __init__(self, records: Iterable[ConsumerRecord]) -> None:
        self._times: dict[int, list[int]] = defaultdict(list)
        for record in records:
            self._times[record.partition].append(record.timestamp)
        for times in self._times.values():
            times.sort()

    def pause(self, partitions: Iterable[int], span: Span) -> float:
        """Return the longest time between two outputs of one of the partitions that has a part within the span."""
        pauses = [
            later - earlier
            for partition in partitions
            for earlier, later in pairwise(self._times[partition])
            if earlier < span.end and later > span.begin
        ]
        return max(pauses, default=float("inf"))
