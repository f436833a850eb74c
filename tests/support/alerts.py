"""Alerts for tests of notifications: short to write by hand."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import msgspec

from streams.records import Alert

AT = 1_767_556_800_000
"""Unix milliseconds at which they fired."""

_EXAMPLE = msgspec.convert(json.loads(files("streams").joinpath("examples", "alerts.v1.json").read_text())[0], Alert)


def hexed(text: str, size: int = 32) -> str:
    """Return an id for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:size]


def alert(name: str = "a", **fields: Any) -> Alert:
    """Return a momentary alert of rule `r` that is called `name`; `ends_at=None` makes it go on."""
    at = fields.get("as_of", AT)
    usual: dict[str, Any] = {
        "alert_id": hexed(name),
        "fingerprint": hexed(name, 16),
        "episode": hexed(name),
        "rule": "r",
        "severity": "info",
        "message": f"message {name}",
        "subject": "0x" + hexed(name, 40),
        "as_of": at,
        "starts_at": at,
        "ends_at": at,
    }
    return msgspec.structs.replace(_EXAMPLE, **(usual | fields))


def over(name: str = "a", **fields: Any) -> Alert:
    """Return the end of the alert that is called `name`."""
    return alert(name, alert_id=hexed(f"{name} is over"), transition="resolved", **fields)
