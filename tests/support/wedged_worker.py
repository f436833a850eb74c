"""A worker of which one shard, partition 0 of the orders, stops in the middle of its work and says nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from streams.__main__ import main
from streams.shards.session import Session
from streams.shards.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Sequence


class WedgedSession(Session[Any]):
    """Takes records and never comes back."""

    async def _absorb(self, records: Sequence[Any]) -> None:
        if self._job.label == "orders" and self._mailbox.tp.partition == 0:
            await asyncio.Event().wait()
        await super()._absorb(records)


class WedgedShard(Shard[Any]):
    """Works with such a session."""

    session_type = WedgedSession


if __name__ == "__main__":
    main(shard_type=WedgedShard)
