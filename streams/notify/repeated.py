"""Alerts that were told before: ids of the last ones of each partition. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

from streams.notify.batch import number_of

REMEMBERED: Final = 4_096
"""Alerts of a partition whose ids are known."""


class Repeated:
    """
    Recognises alerts by id, among the last `size` of their partition.

    A worker that is restored tells the alerts of its last moments again; they come soon, and on the same partition.
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._order: dict[int, deque[int]] = {}
        self._known: dict[int, set[int]] = {}

    def seen(self, partition: int, alert_id: str) -> bool:
        """Return whether the id is known; it is from now on."""
        order, known = self._order.setdefault(partition, deque()), self._known.setdefault(partition, set())
        number = number_of(alert_id)
        if number in known:
            return True
        if len(order) >= self._size:
            known.discard(order.popleft())
        order.append(number)
        known.add(number)
        return False
