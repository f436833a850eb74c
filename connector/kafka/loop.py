"""The event loop of our processes: uvloop, with aiokafka told what its broken connections look like. Shell."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import uvloop
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    Send = Callable[..., Any]

TLS_GOODBYE_S = 0.1
"""Longest wait, when we end a TLS connection, for the other side to say goodbye too."""


class Loop(uvloop.Loop):
    """
    uvloop, which says goodbye briefly.

    Kafka's brokers do not answer the end of TLS. uvloop, like asyncio, waits for that for 30 s, and whoever closes a
    client waits with it: each takeover of a partition would, for it reads with clients of its own.
    """

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """See asyncio."""
        if kwargs.get("ssl"):
            kwargs.setdefault("ssl_shutdown_timeout", TLS_GOODBYE_S)
        return await super().create_connection(*args, **kwargs)


def new_loop() -> asyncio.AbstractEventLoop:
    """
    Return a new uvloop loop; clients of Kafka belong on no other.

    Between the end of a connection and its reader's notice of it, uvloop answers a write with a `RuntimeError`, where
    asyncio accepts it and aiokafka expects an `OSError`. It would end aiokafka's background tasks for good: metadata
    would never be refreshed again, and a batch under way would look like a defect of ours.
    """
    for name in ("send", "_send_sasl_token"):
        send = getattr(AIOKafkaConnection, name)
        if not hasattr(send, "__wrapped__"):
            setattr(AIOKafkaConnection, name, _refusing_closed(send))
    return Loop()


def _refusing_closed(send: Send) -> Send:
    @wraps(send)
    def refusing(connection: AIOKafkaConnection, *args: Any, **kwargs: Any) -> Any:
        writer = connection._writer  # noqa: SLF001  # aiokafka has no word for a connection that is about to be gone
        if writer is not None and writer.transport.is_closing():
            connection.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"the connection to {connection.host}:{connection.port} has ended")
        return send(connection, *args, **kwargs)

    return refusing
