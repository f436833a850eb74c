"""What a fold did with an order."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """The fate of one order. Only an applied or late order changes statistics."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    """Absorbed before: nothing changed."""
    LATE = "late"
    """Older than the longest window: counted as late, in no window."""
