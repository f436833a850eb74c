"""What rules remember of one subject, kept inside the subject's state. Times are milliseconds of the log's clock."""

from __future__ import annotations

from typing import Literal

import msgspec

IDLE, PENDING, FIRING = 0, 1, 2
"""Phases; what is idle only remembers when it fired, for its cooldown."""


class Tip(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The order that tipped a rule, as far as later records of the alert repeat it."""

    event_id: str
    partition: int
    offset: int
    timestamp: int
    """Unix seconds."""
    source: str
    gap_id: str | None
    condition_id: str | None
    token_id: str
    outcome: str | None
    side: Literal["BUY", "SELL"]
    price: float


class Episode(msgspec.Struct, array_like=True, gc=False):
    """What is told again when an alert resolves, also where its rule is gone by then."""

    rule: str
    rule_hash: str
    severity: Literal["info", "warning", "critical"]
    shadow: bool
    labels: dict[str, str]
    group: dict[str, str]
    tip: Tip
    alert_id: str = ""
    """Of its first record; empty while pending."""
    started: int = 0


class RuleState(msgspec.Struct, array_like=True, gc=False):
    """One rule about one subject, or about one group of a subject's orders; see `streams.rules.lifecycle`."""

    rule: int
    """Number of the rule; the key it is kept under is another for a group."""
    fired: int = -(1 << 62)
    """When it fired last."""
    phase: int = IDLE
    since: int = 0
    """Pending: since when it is true. Firing: since when it no longer holds, 0 while it does."""
    level: int | None = None
    """The highest value of `escalate` that was told; None: it had none."""
    episode: Episode | None = None
    """None while idle."""


Memory = dict[int, RuleState]
"""By rule number, or a number made of it and the group. Absent is idle, with no cooldown running."""
