"""Help with mistyped names."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a remark that names what may have been meant; where nothing is near and little known, all of it."""
    known = list(known)
    near = get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return f": did you mean {' or '.join(near)}?"
    return f": known are {', '.join(known)}" if len(known) <= 12 else ""
