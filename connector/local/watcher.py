"""Reads what the connector says of wallets and gaps. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.contract.topics import COVERAGE, GAPS
from connector.kafka.errors import TopicMissing
from connector.kafka.reader import reading
from connector.local.completeness import Completeness
from connector.local.reader import seen_of

if TYPE_CHECKING:
    from collections.abc import Mapping


class Watcher:
    """Coverage and gaps of one deployment, as far as they have been read."""

    def __init__(self, kafka: str, prefix: str, security: Mapping[str, Any]) -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._security = security
        self._reached: dict[str, Mapping[int, int]] = {}
        self._completeness = Completeness()

    async def refresh(self) -> Completeness:
        """Return both as they are now; reads what is new since the last time, and waits for no topic."""
        for name, absorb in (
            (COVERAGE.name, self._completeness.absorb_coverage),
            (GAPS.name, self._completeness.absorb_gap),
        ):
            try:
                async with reading(
                    self._kafka, self._prefix + name, begin=self._reached.get(name), **self._security
                ) as batches:
                    async for batch in batches:
                        for record in batch:
                            absorb(seen_of(record))
            except TopicMissing:
                continue  # the connector makes it
            self._reached[name] = batches.ends
        return self._completeness
