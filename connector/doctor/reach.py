"""Goes to hosts: names, ports, certificates. Shell."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING

from connector.doctor import judge_provider as judge
from connector.doctor.checks import Check, skip
from connector.doctor.judge_provider import Certificate, Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_TIMEOUT_S = 5.0


async def reached(where: Endpoint, context: ssl.SSLContext | None = None) -> AsyncIterator[Check]:
    """Look the name up, connect, and shake hands by TLS where it is spoken; what depends on a failure is skipped."""
    found = await _addresses(where)
    if found != [where.host]:  # nothing to be said of what is an address already
        yield judge.dns(where, found)
    if isinstance(found, str):
        yield skip(f"tcp {where.address}", "the name is not known")
        return
    started = time.monotonic()
    fault = await _connected(where)
    yield judge.tcp(where, fault, time.monotonic() - started)
    if not where.tls:
        return
    if fault:
        yield skip(f"tls {where.address}", "no connection")
        return
    shown = await _certificate(where, context or ssl.create_default_context())
    yield judge.tls(where, shown, time.time_ns() / 1e9)


async def _addresses(where: Endpoint) -> list[str] | str:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            found = await asyncio.get_running_loop().getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except TimeoutError:
        return f"no answer within {_TIMEOUT_S:g} s"
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or type(error).__name__
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _connected(where: Endpoint) -> str:
    """Connect and hang up; return what went wrong."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(where.host, where.port)
    except TimeoutError:
        return f"nobody answers within {_TIMEOUT_S:g} s"
    except OSError as error:
        return _reason(error)
    writer.close()
    return ""


async def _certificate(where: Endpoint, context: ssl.SSLContext) -> Certificate | str:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            _, writer = await asyncio.open_connection(where.host, where.port, ssl=context)
    except TimeoutError:
        return f"no TLS handshake within {_TIMEOUT_S:g} s"
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is not trusted: {error.verify_message}"
    except (OSError, ssl.SSLError) as error:
        return f"it does not speak TLS here: {_reason(error)}"
    shown = writer.get_extra_info("peercert") or {}
    version = str(writer.get_extra_info("ssl_object").version())
    writer.transport.abort()  # it asked nothing, so there is nothing to take leave of
    return Certificate(version, float(ssl.cert_time_to_seconds(shown["notAfter"])))


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or type(error).__name__
    return os.strerror(error.errno) if error.errno else error.strerror or type(error).__name__
