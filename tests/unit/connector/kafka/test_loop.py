from __future__ import annotations

import asyncio
import ssl
import threading
import time
from contextlib import closing, suppress
from socket import create_server
from typing import TYPE_CHECKING

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from connector.kafka.loop import new_loop

if TYPE_CHECKING:
    from tests.support.pki import Pki


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


async def _said_goodbye(port: int, context: ssl.SSLContext) -> float:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    began = time.monotonic()
    writer.close()
    with suppress(ConnectionError, TimeoutError):
        await writer.wait_closed()
    return time.monotonic() - began


def test_who_does_not_answer_the_end_of_tls_is_not_waited_for(pki: Pki) -> None:
    """As Kafka's brokers do not; with uvloop alone it takes 30 s, and so would each takeover of a partition."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server)
    over = threading.Event()
    with closing(create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            with closing(server.accept()[0]) as accepted, closing(context.wrap_socket(accepted, server_side=True)):
                over.wait()

        silent = threading.Thread(target=serve)
        silent.start()
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                client = ssl.create_default_context(cafile=str(pki.ca))
                assert runner.run(_said_goodbye(server.getsockname()[1], client)) < 5.0
        finally:
            over.set()
            silent.join()
