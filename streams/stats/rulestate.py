"""What a rule remembers of one subject, kept inside the subject's state."""

from __future__ import annotations

import msgspec


class RuleState(msgspec.Struct, array_like=True, gc=False):
    """The edge of one rule: see `streams.rules.engine` for what it means."""

    fired: int
    """Clock (ms) of the last alert."""
    armed: bool
    """Whether the condition was false since."""
