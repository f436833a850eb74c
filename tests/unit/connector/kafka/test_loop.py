from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from connector.kafka.loop import new_loop


async def _until_it_ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        await reader.read()
    writer.close()


async def _on_an_ended_connection() -> None:
    server = await asyncio.start_server(_until_it_ends, "127.0.0.1", 0)
    connection = AIOKafkaConnection("127.0.0.1", server.sockets[0].getsockname()[1])
    connection._reader, connection._writer = await asyncio.open_connection(connection.host, connection.port)
    connection._read_task = connection._create_reader_task()
    connection._writer.transport.abort()
    await asyncio.sleep(0)  # the reader has not noticed yet
    try:
        with pytest.raises(KafkaConnectionError, match="has ended"):
            connection.send(MetadataRequest([]))
        assert not connection.connected()
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.1)  # a turn or two for uvloop to close what has ended


def test_a_request_on_an_ended_connection_fails_as_a_matter_of_kafka() -> None:
    """With uvloop alone it is a `RuntimeError`, which ends the client's background tasks."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_on_an_ended_connection())
