"""Why a Kafka cannot be used: the client library logs the cause and raises without it. Shell."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest

from connector.kafka.errors import ClusterUnreachable

_TIMEOUT_S = 5.0


async def unreachable(bootstrap: str, security: dict[str, Any]) -> ClusterUnreachable:
    """Return the error to raise after a client did not get in: what the first server that answers objects to."""
    for host, port, _ in collect_hosts(bootstrap):
        fault = await _fault(host, port, security)
        if fault is not None:
            return ClusterUnreachable(f"the Kafka at {host}:{port} {fault}")
    return ClusterUnreachable(f"no Kafka answers at {bootstrap}: check the address (KAFKA) and the network")


async def _fault(host: str, port: int, security: dict[str, Any]) -> str | None:
    """Return what is wrong with server or credentials, None when nobody answers or nothing is."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            connection = await create_conn(host, port, request_timeout_ms=int(_TIMEOUT_S * 1000), **security)
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
    except (OSError, KafkaError) as error:
        return _told(error, security.get("security_protocol", "PLAINTEXT"))
    return None


def _told(error: Exception, protocol: str) -> str | None:
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"shows a certificate that is not trusted ({error.verify_message}): check KAFKA_CA_FILE and the address"
            )
        case SaslAuthenticationFailed():
            return "refuses the user: check KAFKA_USERNAME and KAFKA_PASSWORD"
        case UnsupportedSaslMechanismError():
            return f"has another KAFKA_SASL_MECHANISM: {error}"
        case ssl.SSLError() | ConnectionResetError() | KafkaError():
            return f"ends the connection: is KAFKA_SECURITY_PROTOCOL={protocol} what this port speaks?"
        case _:
            return None
