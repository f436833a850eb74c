"""
A counter per wallet as Faust's own documentation would have it: one agent, one table, all defaults.

    python -m tests.loss_stock.app worker --without-web

Each value is [naive, guarded, last offset]: the naive count adds one per event delivered, the guarded
one refuses offsets it has seen, so that only events that were never counted can make it short.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from typing import TYPE_CHECKING

import faust

if TYPE_CHECKING:
    from faust.types import StreamT

TABLE = "counts"
PARTITIONS = 4
WORK_S = 0.001
"""Each event waits as an agent does that calls something. Agents that never wait hide some of the losses."""


def create_app(kafka: str, app_id: str, topic: str) -> faust.App:
    """Return the app. Short sessions keep runs short; otherwise only what its start needs differs from the defaults."""
    app = faust.App(
        app_id,
        broker=f"kafka://{kafka}",
        store="memory://",
        datadir=tempfile.mkdtemp(prefix="walletstream-stock-"),
        topic_partitions=PARTITIONS,
        broker_session_timeout=4.0,
        broker_heartbeat_interval=1.0,
        topic_disable_leader=True,
    )
    orders = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    counts = app.Table(TABLE, default=list, partitions=PARTITIONS)

    @app.agent(orders)
    async def count(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            wallet, offset = event.key.decode(), event.message.offset
            naive, guarded, last = counts[wallet] or (0, 0, -1)
            await asyncio.sleep(WORK_S)
            counts[wallet] = [naive + 1, guarded + (offset > last), max(last, offset)]

    return app


if __name__ == "__main__":
    create_app(os.environ["KAFKA"], os.environ["APP_ID"], os.environ["TOPIC"]).main()
