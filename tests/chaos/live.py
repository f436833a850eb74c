"""Which wallets the simulator delivers to whom, at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector.simulator import Simulator


def subscribed(simulator: Simulator) -> dict[str, set[str]]:
    """Return, by API key, the wallets that its open connections are subscribed to."""
    found: dict[str, set[str]] = {}
    for channel in simulator._engine.channels.values():
        if not channel.connection.open or channel.connection.silent:
            continue
        wallets = found.setdefault(channel.target.key or "", set())
        for filters in channel.session._live._filters.values():
            wallets |= filters.users
    return found
