"""How large the remembered state of a wallet is."""

from __future__ import annotations

from typing import Any

from connector.kafka.reader import reading
from streams.shards.position import POSITION_KEY
from tests.bench.figures import percentile


async def state_sizes(kafka: str, topic: str) -> dict[str, Any]:
    """Return bytes of the latest value of each key of a state topic, positions left out."""
    latest: dict[bytes, int] = {}
    async with reading(kafka, topic) as batches:
        async for records in batches:
            latest |= {record.key: len(record.value) for record in records if record.key != POSITION_KEY}
    return {
        "wallets": len(latest),
        "mean_bytes": sum(latest.values()) / max(1, len(latest)),
        "p50_bytes": percentile(latest.values(), 50),
        "p99_bytes": percentile(latest.values(), 99),
        "most_bytes": max(latest.values(), default=0),
        "key_bytes": max(map(len, latest), default=0),
    }
