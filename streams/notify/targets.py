"""Receivers and their targets: one address that notifications are sent to, each at its own pace. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

MOST_NAMED: Final = 20
RETRY_FOR_MS: Final = 3_600_000


class Webhook(msgspec.Struct, frozen=True):
    """Where to post JSON, and what to sign it with."""

    url: str
    secret: str = ""

    def __repr__(self) -> str:
        """Show nothing: both are secrets."""
        return "Webhook(***)"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One address of a receiver."""

    name: str
    """Receiver and a hash of the address as it is written, without secrets: the same as long as the file says so."""
    receiver: str
    address: Webhook | str
    """A webhook, or a URL for Apprise."""
    send_resolved: bool = False
    most_named: int = MOST_NAMED
    """Alerts that a notification names; all others are counted."""
    retry_for_ms: int = RETRY_FOR_MS
    """How long a receiver that does not take a notification is tried."""

    def __repr__(self) -> str:
        """Show no address: it holds secrets."""
        return f"Target({self.name})"
