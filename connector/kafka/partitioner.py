"""Kafka's default partitioner, remembering its answers: it is slow in Python."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from aiokafka.partitioner import murmur2

if TYPE_CHECKING:
    from collections.abc import Callable

_REMEMBERED = 200_000


def partitioner(partitions: int) -> Callable[[bytes], int]:
    """Return the function from a key to its partition, of so many."""

    @lru_cache(maxsize=_REMEMBERED)
    def partition(key: bytes) -> int:
        return int(murmur2(key) & 0x7FFFFFFF) % partitions

    return partition
