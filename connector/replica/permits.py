"""Whether an order may be published at this moment, and where it went. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connector.intake import Outgoing
    from connector.replica.lease import Lease
    from connector.replica.shard import Shard

_POLL = 0.02


class Permits:
    """
    Answers the publisher.

    Args:
        shards: What we own, by partition.
        lease: How long we are sure of it.
        foreign: Called when somebody else was seen to publish to a shard.
    """

    def __init__(self, shards: Mapping[int, Shard], lease: Lease, foreign: Callable[[Shard], None]) -> None:
        self._shards = shards
        self._lease = lease
        self._foreign = foreign
        self._clock = asyncio.get_running_loop().time

    def permitted(self, record: Outgoing) -> bool:
        """Return whether an order may be sent at this moment."""
        shard = self._shards.get(-1 if record.partition is None else record.partition)
        if shard is None or record.event_id in shard.foreign:
            return False
        return shard.known and self._lease.valid(self._clock())

    async def permit(self, record: Outgoing) -> bool:
        """Wait until we are sure to own an order's partition, or sure not to; return which."""
        number = -1 if record.partition is None else record.partition
        shard = self._shards.get(number)
        while shard is not None and self._shards.get(number) is shard:
            if record.event_id in shard.foreign:
                return False  # published by whoever owned it meanwhile
            if self.permitted(record):
                return True
            await asyncio.sleep(_POLL)
        return False

    def acknowledged(self, partition: int, offset: int) -> None:
        """Take note of an order of ours at this offset."""
        shard = self._shards.get(partition)
        if shard is not None and not shard.acknowledged(offset) and shard.known:
            self._foreign(shard)  # while it is not known, all that is there is being read anyway
