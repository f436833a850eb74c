"""
Texts for people, harmless in any service. Pure.

Titles of markets, and with them messages, are written by strangers: no text may call people, hide where a link goes, or
begin a line of its own.
"""

from __future__ import annotations

import re
from typing import Final

from streams.rules.catalogue import CATALOGUE

_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_CALLS = re.compile(r"@(?=\w)|<(?=[!@#])|\](?=\()|:(?=//)")
_DOTTED = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_NOTHING = "\u200b"
"""A space of no width: what follows is no mention, link or address any more."""

_NUMBER = re.compile(r"[\d.]+")
_VOCABULARY: Final = frozenset(name for variables in CATALOGUE.values() for name in variables)


def harmless(text: str) -> str:
    """Return a text in one line that mentions nobody and links nowhere."""
    plain = _SPACE.sub(" ", text).strip()
    return _DOTTED.sub(_unlinked, _CALLS.sub(lambda match: match[0] + _NOTHING, plain))


def _unlinked(match: re.Match[str]) -> str:
    """Services make links of names with dots; ours, and numbers, are none."""
    name = match[0]
    return name if name in _VOCABULARY or _NUMBER.fullmatch(name) else name.replace(".", "." + _NOTHING)
