"""Silences: alerts that match are told all the same, and marked, so that whoever notifies people leaves them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.records import Alert


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Matches alerts that have all of the given values; a value may end in `*`. An empty one matches nothing."""

    id: str
    until_ms: int
    """Unix milliseconds, by the log's clock."""
    matchers: dict[str, str]
    """`rule`, `subject`, `severity`, `scope`, `market` (condition id) or a label's name -> value."""
    comment: str = ""
    created_by: str = ""


def silenced_by(silences: Sequence[Silence], alert: Alert) -> list[str]:
    """Return the ids of the silences that an alert falls under."""
    return [silence.id for silence in silences if alert.as_of < silence.until_ms and matches(silence, alert)]


def matches(silence: Silence, alert: Alert) -> bool:
    """Return whether an alert has all values of a silence."""
    known = {
        **alert.labels,
        **alert.group,
        "rule": alert.rule,
        "subject": alert.subject,
        "severity": alert.severity,
        "scope": alert.scope,
        "market": alert.trade.condition_id or "",
    }
    return bool(silence.matchers) and all(_equal(value, known.get(name)) for name, value in silence.matchers.items())


def _equal(wanted: str, found: str | None) -> bool:
    if found is None:
        return False
    return found.startswith(wanted[:-1]) if wanted.endswith("*") else found == wanted
