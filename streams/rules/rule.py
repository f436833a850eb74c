"""One rule, as written."""

from __future__ import annotations

import hashlib
from functools import cached_property

import msgspec

from streams.records import Scope, Severity  # fields of a struct

DEFAULT_COOLDOWN_MS = 300_000
DEFAULT_MAX_AGE_MS = 60_000


class Rule(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A condition about a wallet or a market, and what to say when an order makes it true."""

    id: str
    scope: Scope
    severity: Severity
    expr: str
    """CEL, of type bool, over the variables of `streams.rules.catalogue`."""
    message: str
    """For people; `{variable}` and `{variable:format}` are filled in."""
    cooldown_ms: int = DEFAULT_COOLDOWN_MS
    """After an alert, the time without another one of this rule about the same subject."""
    max_age_ms: int = DEFAULT_MAX_AGE_MS
    """Orders older than this change statistics but tip no alert."""
    labels: dict[str, str] = {}

    @cached_property
    def hash(self) -> str:
        """Return 16 hex digits over all fields: a rule that was changed is another rule."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]

    @cached_property
    def number(self) -> int:
        """Return the hash as the number that states know the rule by."""
        return int(self.hash, 16)
