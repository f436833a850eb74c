"""
A worker that believes the group's committed offsets: no admission, no position.

What most consumers do, and what the fault tests must be able to catch.
"""

from __future__ import annotations

from typing import Any

from streams.__main__ import main
from streams.shards.admission import Admission, Verdict
from streams.shards.session import Session
from streams.shards.shard import Shard


class NoAdmission(Admission):
    """Takes whatever comes."""

    def judge(self, offset: int) -> Verdict:
        """Admit."""
        self.next = offset + 1
        return Verdict.ADMIT


class NaiveSession(Session[Any]):
    """Absorbs whatever comes."""

    admission_type = NoAdmission


class NaiveShard(Shard[Any]):
    """Starts where the group's commits say."""

    session_type = NaiveSession

    async def _first_offset(self, live: Any) -> int:
        committed: int | None = await self._consumer.client.committed(self.tp)
        return live.offset + 1 if committed is None else committed


if __name__ == "__main__":
    main(shard_type=NaiveShard)
