"""Figures, ages and strangers' texts in forms for people. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def dollars(micros: int) -> str:
    """Return micro-USDC as dollars and cents."""
    return f"{'-' if micros < 0 else ''}${abs(micros) / 1e6:,.2f}"


def milliseconds(value: float | None) -> str:
    """Return a latency; a dash when there is none yet."""
    return "-" if value is None else f"{value:.1f} ms"


def age(milliseconds: int) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = max(0, milliseconds // 1000)
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def short(subject: str) -> str:
    """Return a wallet or market id in a form that fits a column."""
    return subject if len(subject) <= 13 else f"{subject[:6]}...{subject[-4:]}"


def plain(text: str) -> str:
    """Return one line that a terminal only shows: each character that could steer it becomes U+FFFD."""
    return "".join(
        each if each.isprintable() else " " if each.isspace() else "\N{REPLACEMENT CHARACTER}" for each in text
    )


def moment(at_ms: int) -> str:
    """Return unix milliseconds as a date and time in UTC, to the second."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
