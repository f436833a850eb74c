"""What the session tells its shell: commands to carry out and events to pass on."""

from __future__ import annotations

from typing import Any

import msgspec

from connector.contract.gap import Cause
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


class TurnedAway(msgspec.Struct, frozen=True):
    """The provider turned the key away in an error frame; trying again at once would not help."""

    code: str
    message: str


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
    wallets: tuple[str, ...] = ()
    """Whose order it may have been: those of its subscription if it names one, else all in force."""


class Acknowledged(msgspec.Struct, frozen=True):
    """The provider confirmed a subscription with these wallets."""

    name: str
    subscription_id: str
    wallets: tuple[str, ...]


class Live(msgspec.Struct, frozen=True):
    """From now on the provider certainly delivers these wallets, which it did not before."""

    wallets: tuple[str, ...]
    subscription_id: str


class Lost(msgspec.Struct, frozen=True):
    """The provider no longer certainly delivers these wallets."""

    wallets: tuple[str, ...]
    cause: Cause


class Refused(msgspec.Struct, frozen=True):
    """
    A request was refused, or never acknowledged (code `NO_ACK`); it is made again later.

    `wallets` are those that the request was to bring into force; after a refused update the
    ones before stay in force.
    """

    name: str
    action: str
    code: str
    message: str
    wallets: tuple[str, ...]


Command = Send | Ping | Drop | TurnedAway | Deliver | Bury | Acknowledged | Live | Lost | Refused
