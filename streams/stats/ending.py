"""When a market ends, as far as its slug says so."""

from __future__ import annotations

import re
from typing import Final

_LENGTH_AND_START: Final = re.compile(r"-([1-9][0-9]{0,3})([mh])-([1-9][0-9]{9})", re.ASCII)
_SECONDS: Final = {"m": 60, "h": 3_600}


def market_end(slug: str | None) -> int | None:
    """
    Return the unix second at which a market ends, None where its slug does not say so.

    `btc-updown-15m-1762479900` starts at 1762479900 and ends 15 minutes later; `4h` are hours.
    """
    found = None if slug is None else _LENGTH_AND_START.search(slug)
    if found is None or found.end() != len(found.string):
        return None
    length, unit, start = found.groups()
    return int(start) + int(length) * _SECONDS[unit]
