"""What a group has gathered and not told yet: every alert counted, the gravest named. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from streams.notify.records import SEVERITIES, Counts

if TYPE_CHECKING:
    from streams.notify.records import NamedAlert

_GRAVITY = {severity: place for place, severity in enumerate(SEVERITIES)}
_BITS = 128


class Place(NamedTuple):
    """Where an alert is in alerts.v1."""

    partition: int
    offset: int


class Batch:
    """
    Alerts of one group; its size does not grow with their number.

    Args:
        most: How many are named.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids = 0
        self.counts = Counts()
        self.named: list[NamedAlert] = []
        """In order of arrival."""
        self.offsets: dict[int, tuple[int, int]] = {}
        """Partition -> first and last offset."""

    def add(self, alert: NamedAlert, place: Place) -> None:
        """Count an alert, and name it if there is room or it is graver than one that is named."""
        self.counts.add(alert.transition, alert.severity)
        self._ids = (self._ids + number_of(alert.alert_id)) % (1 << _BITS)
        first, _ = self.offsets.get(place.partition, (place.offset, place.offset))
        self.offsets[place.partition] = (first, place.offset)
        if len(self.named) >= self._most:
            least = max(self.named, key=lambda each: _GRAVITY[each.severity], default=alert)
            if _GRAVITY[least.severity] <= _GRAVITY[alert.severity]:
                return
            self.named.remove(least)
        self.named.append(alert)

    @property
    def ids(self) -> str:
        """Return a hash of the ids of all its alerts, in whatever order they came."""
        return f"{self._ids:032x}"


def gravest_first(alerts: list[NamedAlert]) -> list[NamedAlert]:
    """Return alerts by severity, and in order of arrival within."""
    return sorted(alerts, key=lambda alert: _GRAVITY[alert.severity])


def number_of(alert_id: str) -> int:
    """Return a number for an id, whatever a stranger wrote there."""
    return int.from_bytes(hashlib.sha256(alert_id.encode()).digest()[: _BITS // 8], "big")
