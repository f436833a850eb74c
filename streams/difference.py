"""
Two versions of a rule, side by side: which alerts both began, and which only one of them.

An alert is known by its subject, its group and the order that tipped it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.records import Alert


class Difference(NamedTuple):
    """How many alerts."""

    both: int
    only_one: int
    only_other: int


class Begun:
    """The alerts that one version began, 8 bytes each."""

    def __init__(self) -> None:
        self._keys: set[int] = set()

    def take(self, alert: Alert) -> None:
        """Note an alert if it begins to fire."""
        if alert.transition == "firing":
            self._keys.add(key(alert))

    def against(self, other: Begun) -> Difference:
        """Compare with the other version."""
        both = len(self._keys & other._keys)
        return Difference(both, len(self._keys) - both, len(other._keys) - both)


def key(alert: Alert) -> int:
    """Return a number made of subject, group and tipping order."""
    text = "|".join((alert.subject, alert.orders[0].event_id, *alert.group.values()))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


Which = Literal["both", "only active", "only shadow"]


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """One alert that began, in one version of a rule or in both."""

    which: Which
    at: int
    """Unix milliseconds; of the active one where both began."""
    subject: str
    group: dict[str, str]
    tipped_by: str
    """`event_id` of the order."""
    active: str | None
    """`alert_id`."""
    shadow: str | None
    message: str


class VersionsDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The shadow version of a rule against the active one."""

    rule: str
    active_hash: str | None
    """Of the newest version that fired; None: none did."""
    shadow_hash: str | None
    since: int | None
    """Unix milliseconds from which alerts are compared."""
    counts: Difference
    """`one` is the active version, `other` that in shadow."""
    begins: list[Begin]


class Versions:
    """Gathers what began of one rule, in both modes."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._firing: dict[str, dict[str, Alert]] = {"ACTIVE": {}, "SHADOW": {}}

    def take(self, alert: Alert) -> None:
        """Take an alert of any rule; a repetition counts once."""
        if alert.rule == self._rule and alert.transition == "firing":
            self._firing[alert.mode][alert.alert_id] = alert

    def difference(self, since: int | None = None) -> VersionsDifference:
        """Compare the newest version of each mode, from a time (unix ms) on; None: from the first one in shadow."""
        active, shadow = _newest(self._firing["ACTIVE"].values()), _newest(self._firing["SHADOW"].values())
        if since is None:
            since = min((alert.as_of for alert in shadow), default=None)
        by_key = [
            {key(alert): alert for alert in alerts if since is None or alert.as_of >= since}
            for alerts in (active, shadow)
        ]
        begins = [_begin(by_key[0].get(each), by_key[1].get(each)) for each in {**by_key[0], **by_key[1]}]
        counts = Counter(begin.which for begin in begins)
        return VersionsDifference(
            rule=self._rule,
            active_hash=active[0].rule_hash if active else None,
            shadow_hash=shadow[0].rule_hash if shadow else None,
            since=since,
            counts=Difference(counts["both"], counts["only active"], counts["only shadow"]),
            begins=sorted(begins, key=lambda begin: (begin.at, begin.subject, begin.tipped_by)),
        )


def _newest(alerts: Iterable[Alert]) -> list[Alert]:
    """Return the alerts of the version that fired last."""
    known = list(alerts)
    if not known:
        return []
    version = max(known, key=lambda alert: alert.as_of).rule_hash
    return [alert for alert in known if alert.rule_hash == version]


def _begin(active: Alert | None, shadow: Alert | None) -> Begin:
    alert = active or shadow
    if alert is None:
        raise AssertionError("neither version began")
    return Begin(
        which="both" if active and shadow else "only active" if active else "only shadow",
        at=alert.as_of,
        subject=alert.subject,
        group=alert.group,
        tipped_by=alert.orders[0].event_id,
        active=None if active is None else active.alert_id,
        shadow=None if shadow is None else shadow.alert_id,
        message=alert.message,
    )
