"""
A notification as people read it: a title, and a few lines for each alert that is named, all others counted. Pure.

What does not fit into a message is not cut: it is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from streams.notify.records import SEVERITIES, Counts
from streams.notify.templates import fill
from streams.notify.texts import harmless
from streams.texts import instant

if TYPE_CHECKING:
    from streams.notify.records import NamedAlert, Notification
    from streams.notify.templates import Templates

MOST_BODY = 4_000
"""Characters of a text for people: longer ones are read by nobody."""

_MOST_TITLE = 150
_ROOM_FOR_REST = 120
"""Characters of the last line, which counts what is not named."""


class Message(NamedTuple):
    """What is sent."""

    title: str
    body: str


def message(notification: Notification, templates: Templates, *, most: int) -> Message:
    """Return the text of a notification, whose body has at most so many characters."""
    lines: list[str] = []
    rest = Counts(**{name: getattr(notification.counts, name) for name in Counts.__struct_fields__})
    room = most - _ROOM_FOR_REST
    for place, alert in enumerate(notification.alerts):
        text = _alert(alert, templates)
        room -= len(text) + 1
        if room < 0:
            if not place:
                lines.append(text[: most - _ROOM_FOR_REST - 1] + "…")
                rest.add(alert.transition, alert.severity, -1)
            break
        lines.append(text)
        rest.add(alert.transition, alert.severity, -1)
    if rest.total:
        lines.append(_rest(rest, after_some=bool(lines)))
    return Message(title(notification, templates), "\n".join(lines))


def title(notification: Notification, templates: Templates) -> str:
    """Return what the notification is about, in one line."""
    counts = notification.counts
    severity = next((each for each in SEVERITIES if getattr(counts, each)), "info")
    group = ", ".join(f"{name} {value}" for name, value in notification.group.items() if value)
    rules = {alert.rule for alert in notification.alerts}
    values = {
        "repeat": "still firing: " if notification.kind == "repeat" else "",
        "severity": severity,
        "count": f"{counts.total:,}",
        "alerts": "alert" if counts.total == 1 else "alerts",
        "group": f" ({harmless(group)})" if group else "",
        "receiver": notification.receiver,
        "rule": harmless(rules.pop()) if len(rules) == 1 else "several rules",
    }
    text = harmless_line(fill(templates.title, values))
    return text if len(text) <= _MOST_TITLE else f"{text[: _MOST_TITLE - 1]}…"


def harmless_line(text: str) -> str:
    """Return a text without line ends, for what was checked part by part."""
    return " ".join(text.split())


def _alert(alert: NamedAlert, templates: Templates) -> str:
    values = _values(alert)
    said = {name: harmless(value) for name, value in values.items()}
    over = "over: " if alert.transition == "resolved" else "more: " if alert.transition == "escalated" else ""
    lines = [over + fill(templates.alert, said)]
    if said["reason"] and "{reason}" not in templates.alert:
        lines.append(f"  why: {said['reason']}")
    gap = ", orders of the wallet were missing" if alert.coverage == "gap" else ""
    lines.append(f"  {said['time']}, {alert.scope} {said['subject']}{gap}")
    if templates.link:
        lines.append("  " + fill(templates.link, {name: quote(value, safe="") for name, value in values.items()}))
    return "\n".join(lines)


def _values(alert: NamedAlert) -> dict[str, str]:
    return {
        "severity": alert.severity,
        "rule": alert.rule,
        "message": alert.message,
        "reason": alert.reason,
        "transition": alert.transition,
        "scope": alert.scope,
        "subject": alert.subject,
        "market": alert.market or "",
        "alert_id": alert.alert_id,
        "episode": alert.episode,
        "time": instant(alert.as_of).partition(".")[0].replace("T", " ") + " UTC",
    }


def _rest(rest: Counts, *, after_some: bool) -> str:
    parts = [f"{getattr(rest, each):,} {each}" for each in SEVERITIES if getattr(rest, each)]
    return f"{'and ' if after_some else ''}{rest.total:,} {'more' if after_some else 'alerts'} ({', '.join(parts)})"
