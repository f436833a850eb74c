"""From when on orders are fetched, as people write it. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from connector.contract.checks import shown

DAY_S: Final = 86_400
MOST_DAYS: Final = 30
"""`orders.v1` keeps 35 days: what was published before cannot be told from what is missing."""

_AGO = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": DAY_S}
_UNIX = re.compile(r"\d{9,16}", re.ASCII)
_MILLISECONDS = 100_000_000_000


class InvalidSince(ValueError):
    """A text is no time to begin at; the message says why."""


def parse_since(text: str, now_s: int) -> int:
    """
    Return unix seconds from which orders can be fetched; the forms are those of `parse_time`.

    Raises:
        InvalidSince: no time, or too long ago.
    """
    since = parse_time(text, now_s)
    if since < now_s - MOST_DAYS * DAY_S:
        raise InvalidSince(
            f"{shown(text)} is more than {MOST_DAYS} days ago: the topic of orders forgets after 35, and older orders"
            " could be published twice"
        )
    return since


def parse_time(text: str, now_s: int) -> int:
    """
    Return unix seconds for `2026-11-01`, `2026-11-01T12:30` (UTC unless it says otherwise), unix seconds, or `2h` ago.

    Raises:
        InvalidSince: none of these, or in the future.
    """
    time = _read(text.strip(), now_s)
    if time > now_s:
        raise InvalidSince(f"{shown(text)} is in the future")
    return time


def _read(text: str, now_s: int) -> int:
    if ago := _AGO.fullmatch(text):
        return now_s - int(ago[1]) * _SECONDS[ago[2]]
    if _UNIX.fullmatch(text):
        if int(text) >= _MILLISECONDS:
            raise InvalidSince(f"{shown(text)} is in milliseconds, expected unix seconds")
        return int(text)
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidSince(
            f"{shown(text)} is no time: expected 2026-11-01, 2026-11-01T12:30, unix seconds, or how long ago (90s, 30m,"
            " 2h, 7d)"
        ) from None
    return int((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp())
