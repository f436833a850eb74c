"""Ports on the loopback interface that nobody else gets while we hold them. Shell."""

from __future__ import annotations

import socket

from connector.local.config import HOST
from connector.local.errors import PortInUse


def reserve(port: int = 0) -> socket.socket:
    """
    Bind a port (0: any free one) without listening on it, and return the socket that holds it.

    A server that sets SO_REUSEADDR, as asyncio's and Java's do, can listen on the port meanwhile
    and again after a restart; nobody else is given it as a free port.

    Raises:
        PortInUse: something listens there already.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((HOST, port))
    except OSError as error:
        holder.close()
        raise PortInUse(
            f"port {port} on {HOST} cannot be used ({error.strerror}): stop what listens there, or choose another"
            " (0 = any free port)"
        ) from error
    return holder


def port_of(holder: socket.socket) -> int:
    """Return the number of the port that `holder` holds."""
    number: int = holder.getsockname()[1]
    return number
