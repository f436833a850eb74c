"""Blots secrets out of what is shown or written. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"

_TELLING = 8
"""Characters of a secret's beginning that tell too much of it."""


class Mask:
    """
    Blots out secrets, as they are and as URLs and JSON write them.

    In texts also the beginning of one: what is quoted may have been cut off in its midst.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {
            form for secret in secrets if secret for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])
        }
        # The longest first, or a key that begins like another leaves the end of that one.
        self._forms = sorted(forms, key=len, reverse=True)
        begun = {form[:size] for form in forms for size in range(_TELLING, len(form))}
        self._begun = sorted(begun, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        for form in self._forms:
            text = text.replace(form, MASK)
        if any(form[:_TELLING] in text for form in self._forms):
            for beginning in self._begun:
                text = text.replace(beginning, MASK)
        return text

    def raw(self, raw: bytes) -> bytes:
        """Return the bytes without secrets."""
        for form in self._forms:
            raw = raw.replace(form.encode(), MASK.encode())
        return raw
