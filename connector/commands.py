"""What the session tells its shell: commands to carry out and events to pass on."""

from __future__ import annotations

from typing import Any

import msgspec

from connector.contract.provenance import Provenance
from connector.dedupe import Channel


class Send(msgspec.Struct, frozen=True):
    """Send this text frame."""

    frame: str


class Ping(msgspec.Struct, frozen=True):
    """Send a ping, and tell the session when its pong comes."""


class Drop(msgspec.Struct, frozen=True):
    """Close the connection; frames that still arrive belong to the session."""

    reason: str


class Deliver(msgspec.Struct, frozen=True):
    """An order's JSON object, as it came."""

    raw: bytes
    data: dict[str, Any]
    channel: Channel
    provenance: Provenance


class Bury(msgspec.Struct, frozen=True):
    """A frame that cannot be used: keep it as a dead letter."""

    raw: bytes
    reason: str
    detail: str
    provenance: Provenance


class Acknowledged(msgspec.Struct, frozen=True):
    """A subscription is in force with these wallets."""

    name: str
    subscription_id: str
    wallets: tuple[str, ...]


class Refused(msgspec.Struct, frozen=True):
    """
    A request was refused, or never acknowledged (code `NO_ACK`).

    A refused subscription is asked for again later; a refused update is given up, the wallets
    it was to replace stay in force.
    """

    name: str
    action: str
    code: str
    message: str
    wallets: tuple[str, ...]


Command = Send | Ping | Drop | Deliver | Bury | Acknowledged | Refused
