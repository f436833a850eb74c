"""
What is told: notifications, what groups remember (`notifications.v1`), dead letters (`notifications-dead.v1`).

Texts in here are cut, so that each record fits into what Kafka takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import msgspec

from connector.contract import codec
from streams.records import Scope, Severity

if TYPE_CHECKING:
    from streams.records import Alert

NOTIFICATION_SCHEMA: Final = 1
MEMORY_SCHEMA: Final = 1
NOTIFICATION_DEAD_SCHEMA: Final = 1

MOST_CHARACTERS: Final = 300
"""Of a message or a reason; of names and labels a third."""

_MOST_LABELS: Final = 16

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "info")
"""The gravest first."""

Kind = Literal["new", "repeat"]
DeadReason = Literal["refused", "gave-up", "bad-record"]


class NamedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as notifications tell it."""

    alert_id: str
    episode: str
    transition: Literal["firing", "escalated", "resolved"]
    rule: str
    severity: Severity
    labels: dict[str, str]
    scope: Scope
    subject: str
    market: str | None
    """Condition id, if known."""
    message: str
    reason: str
    coverage: Literal["complete", "gap"]
    starts_at: int
    """Unix milliseconds, by the log's clock, like the next."""
    as_of: int


class Counts(msgspec.Struct, kw_only=True):
    """How many alerts there are, those that are not named included."""

    total: int = 0
    firing: int = 0
    escalated: int = 0
    resolved: int = 0
    critical: int = 0
    warning: int = 0
    info: int = 0

    def add(self, transition: str, severity: str, times: int = 1) -> None:
        """Count alerts."""
        self.total += times
        setattr(self, transition, getattr(self, transition) + times)
        setattr(self, severity, getattr(self, severity) + times)


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one receiver: what webhooks get, too."""

    schema: Literal[1] = NOTIFICATION_SCHEMA
    key: str
    """Of idempotency: hash of receiver, group and alert ids. Sent again, also after a crash, it is the same."""
    receiver: str
    kind: Kind
    """`repeat`: nothing is new, but it still fires."""
    group: dict[str, str]
    counts: Counts
    alerts: list[NamedAlert]
    """The gravest first, as many as the receiver wants named."""
    offsets: dict[int, tuple[int, int]]
    """Partition of alerts.v1 -> first and last offset of what is told, named or counted; of repetitions none."""
    at: int
    """When it was put together, unix milliseconds."""


class Firing(msgspec.Struct, frozen=True):
    """An alert that goes on."""

    partition: int
    severity: Severity
    named: NamedAlert | None
    """None: others are named."""


class GroupMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `notifications.v1`: what a group knows. What came later than `told` says is read again."""

    schema: Literal[1] = MEMORY_SCHEMA
    target: str
    route: str
    labels: dict[str, str]
    sending: Notification | None
    """Decided on, and not known to be sent."""
    told: dict[int, int]
    """Partition -> offset up to which its alerts are in a notification that is sent, dead or `sending`."""
    told_at: int | None
    tick: int | None
    firing: dict[str, Firing]
    """By episode."""


class DeadNotification(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `notifications-dead.v1`: what nobody was told, and why."""

    schema: Literal[1] = NOTIFICATION_DEAD_SCHEMA
    reason: DeadReason
    """`refused`: the receiver will not take it; `gave-up`: it did not for too long; `bad-record`: no alert."""
    detail: str
    """For people."""
    notification: Notification | None = None
    title: str | None = None
    body: str | None = None
    origin: str | None = None
    """Of a bad record: topic/partition/offset."""
    raw: str | None = None
    """Of a bad record: its bytes, base64, the first 262144 of them."""
    size: int | None = None
    """Bytes, where `raw` does not hold them all."""
    at: int
    """Unix milliseconds."""


R = TypeVar("R", GroupMemory, DeadNotification)
_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (GroupMemory, DeadNotification)
}

encode = codec.encode


def decode(kind: type[R], value: bytes) -> R:
    """Read a record of `kind`; raises `InvalidRecord` where it is none."""
    record: R = codec.decode(_decoders[kind], value)
    return record


def named(alert: Alert) -> NamedAlert:
    """Return an alert as notifications tell it."""
    labels = list(alert.labels.items())[:_MOST_LABELS]
    return NamedAlert(
        alert_id=cut(alert.alert_id),
        episode=cut(alert.episode),
        transition=alert.transition,
        rule=cut(alert.rule),
        severity=alert.severity,
        labels={cut(name): cut(value) for name, value in labels},
        scope=alert.scope,
        subject=cut(alert.subject),
        market=None if alert.trade.condition_id is None else cut(alert.trade.condition_id),
        message=cut(alert.message, MOST_CHARACTERS),
        reason=cut(alert.reason, MOST_CHARACTERS),
        coverage=alert.coverage,
        starts_at=alert.starts_at,
        as_of=alert.as_of,
    )


def cut(text: str, most: int = MOST_CHARACTERS // 3) -> str:
    """Return a text that has no more than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
