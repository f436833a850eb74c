"""One rule, as written."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Literal

import msgspec

from streams.records import Scope, Severity  # fields of a struct

DEFAULT_COOLDOWN_MS = 300_000
DEFAULT_MAX_AGE_MS = 60_000

Mode = Literal["ACTIVE", "SHADOW", "PAUSED"]


class Selectors(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders may tip a rule: one of each kind that is given. A market may end in `*`."""

    wallets: tuple[str, ...] = ()
    """Addresses, lower case."""
    wallet_labels: tuple[str, ...] = ()
    """Labels of the watch-list."""
    markets: tuple[str, ...] = ()
    """Condition ids or slugs."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A condition about a wallet or a market, and what to say when an order makes it true. Times in milliseconds."""

    id: str
    scope: Scope
    severity: Severity
    expr: str
    """CEL, of type bool, over the variables of `streams.rules.catalogue`."""
    message: str
    """For people; `{variable}` and `{variable:format}` are filled in."""
    for_ms: int = 0
    """How long the condition has to stay true before the alert fires."""
    until: str | None = None
    """CEL, of type bool: what ends the alert; None: the condition being false."""
    keep_firing_for_ms: int = 0
    """How long the alert goes on after that."""
    escalate: str | None = None
    """CEL, of type int: while the alert fires, it is told again each time this is higher than ever before."""
    group_by: tuple[str, ...] = ()
    """Variables of text; each combination of their values is an alert of its own."""
    cooldown_ms: int = DEFAULT_COOLDOWN_MS
    """After an alert fired, the time without another one of this rule about the same subject and group."""
    max_age_ms: int = DEFAULT_MAX_AGE_MS
    """Orders older than this change statistics but tip no alert."""
    warmup_ms: int = 0
    """How long a subject is watched before the rule may fire."""
    select: Selectors = Selectors()
    labels: dict[str, str] = {}
    mode: Mode = "ACTIVE"

    @cached_property
    def hash(self) -> str:
        """Return 16 hex digits over all fields but the mode: a rule that was changed is another rule."""
        fields = msgspec.structs.replace(self, mode="ACTIVE")
        return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()[:16]

    @cached_property
    def number(self) -> int:
        """Return the number that states know the rule by; in shadow it is another, so that going live starts anew."""
        digest = hashlib.sha256(f"{self.hash}|{self.is_shadow}".encode()).digest()
        return int.from_bytes(digest[:8], "big")

    @property
    def is_shadow(self) -> bool:
        """Whether its alerts go to the topic of rules on trial."""
        return self.mode == "SHADOW"
