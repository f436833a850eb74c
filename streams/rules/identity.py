"""Ids of alerts and of what they are about: hashes of what makes them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping


def digest(size: int, *parts: str) -> str:
    """Return that many hex digits that tell these parts from others, whatever is in them."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:size]


def fingerprint(rule: str, subject: str, group: Mapping[str, str]) -> str:
    """Return what all alerts of one rule about one subject and group have in common."""
    return digest(16, rule, subject, *group.values())
