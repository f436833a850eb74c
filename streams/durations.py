"""Durations as people write them, such as `500ms`, `90s`, `5m`, `2h`, `1d`; in milliseconds here."""

from __future__ import annotations

import re
from typing import Final

UNITS_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
"""Milliseconds of each unit, the largest first."""

DURATION: Final = re.compile(r"(\d{1,9})(ms|s|m|h|d)", re.ASCII)
"""A whole number and its unit."""


def parse_duration(text: str) -> int:
    """Return milliseconds; ValueError where the text is no whole number with a unit."""
    match = DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a whole number and a unit (ms, s, m, h, d) such as 60s or 5m, got {text!r}")
    return int(match[1]) * UNITS_MS[match[2]]


def format_duration(milliseconds: int) -> str:
    """Return a duration in the largest unit that gives a whole number; none is `0s`."""
    if not milliseconds:
        return "0s"
    unit, length = next((unit, length) for unit, length in UNITS_MS.items() if milliseconds % length == 0)
    return f"{milliseconds // length}{unit}"
