"""Senders: one for each target. Shell; none raises but for a defect of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from streams.notify.apprising import AppriseSender
from streams.notify.posting import WebhookSender
from streams.notify.targets import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.notify.message import Message
    from streams.notify.outcome import Attempt
    from streams.notify.records import Notification
    from streams.notify.targets import Target


class Sender(Protocol):
    """Sends to one target."""

    most: int
    """Characters of a body."""

    async def send(self, notification: Notification, message: Message) -> Attempt:
        """Try once."""

    async def close(self) -> None:
        """Disconnect."""


def sender_of(target: Target, now_s: Callable[[], float]) -> Sender:
    """Return the sender for a target; `now_s` is unix time, for signatures."""
    if isinstance(target.address, Webhook):
        return WebhookSender(target.address, now_s)
    return AppriseSender(target.address)
