"""
The mailbox: one message whose content grows until somebody takes it.

At low load it holds one record, under load thousands: nothing waits for a batch to fill, and
nothing piles up as a queue of tiny messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import TopicPartition
    from aiokafka.structs import ConsumerRecord


class Mailbox:
    """Records of one claimed partition, in the order they were fetched, until taken."""

    __slots__ = ("_records", "announced", "released", "tp")

    def __init__(self, tp: TopicPartition) -> None:
        self.tp = tp
        self.announced = False
        """Whether a message about this mailbox is on its way to the agent."""
        self.released = False
        """Whether the claim has ended: nothing is delivered any more."""
        self._records: list[ConsumerRecord] = []

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Sequence[ConsumerRecord]) -> bool:
        """Append records; return whether the agent has to be told."""
        self._records.extend(records)
        tell, self.announced = not self.announced, True
        return tell

    def take(self) -> list[ConsumerRecord]:
        """Return what it holds and start empty."""
        self.announced = False
        records, self._records = self._records, []
        return records
