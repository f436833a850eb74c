"""Topics of a deployment under test, created before anything writes to them."""

from __future__ import annotations

from connector.contract.topics import CONNECTOR_TOPICS
from connector.kafka.admin import ensure_topics
from streams.topics import STREAMS_TOPICS


async def prepare(bootstrap: str, prefix: str, partitions: int) -> None:
    """Create every topic of the connector and of streams under a prefix."""
    specs = [spec.prefixed(prefix) for spec in (*CONNECTOR_TOPICS, *STREAMS_TOPICS)]
    await ensure_topics(bootstrap, specs, partitions=partitions, replication=1)
