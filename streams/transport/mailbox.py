"""
The mailbox: what was fetched of one partition, until somebody takes it.

Faust delivers the mailbox of a claimed partition to the agent as one message, with the first
records. From then on it tells its listener itself when it fills. At low load a take returns one
record, under load thousands: nothing waits for a batch to fill, and nothing piles up as a queue of
tiny messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiokafka import TopicPartition
    from aiokafka.structs import ConsumerRecord


class Mailbox:
    """Records of one claimed partition, in the order they were fetched."""

    __slots__ = ("_announced", "_listener", "_records", "released", "tp")

    def __init__(self, tp: TopicPartition) -> None:
        self.tp = tp
        self.released = False
        """Whether the claim has ended: nothing is delivered any more."""
        self._announced = False
        self._listener: Callable[[], None] | None = None
        self._records: list[ConsumerRecord] = []

    def __len__(self) -> int:
        return len(self._records)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` now, if there are records, and whenever some are added."""
        self._listener = listener
        if self._records:
            listener()

    def add(self, records: Sequence[ConsumerRecord]) -> bool:
        """Append records; return whether the agent has to be handed the mailbox, which is so once."""
        self._records.extend(records)
        if self._listener is not None:
            self._listener()
        announce, self._announced = not self._announced, True
        return announce

    def take(self) -> list[ConsumerRecord]:
        """Return what it holds and start empty."""
        records, self._records = self._records, []
        return records
