"""The body that webhooks get. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.notify.records import Notification

if TYPE_CHECKING:
    from streams.notify.message import Message

_encoder = msgspec.json.Encoder()


class Payload(Notification, frozen=True, kw_only=True):
    """A notification, and its text for people."""

    title: str
    body: str


def payload(notification: Notification, message: Message) -> bytes:
    """Return the JSON: the same bytes for the same notification."""
    fields = {name: getattr(notification, name) for name in Notification.__struct_fields__}
    return _encoder.encode(Payload(**fields, title=message.title, body=message.body))
