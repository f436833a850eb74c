"""Python's cycle collector, told how our processes use memory."""

from __future__ import annotations

import gc

_THRESHOLDS = (50_000, 20, 100)
"""Of the three generations; Python's own are 700, 10, 10."""


def spare() -> None:
    """
    Have the collector look at much less: call it once, when all is imported.

    What we keep is long-lived and has no cycles; to walk it again and again costs milliseconds, amid orders.
    """
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
