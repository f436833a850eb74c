"""The clauses of a condition: the parts between the outermost `&&`."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""r?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"|//[^\n]*|&&|\|\||[()\[\]{}?]",
    re.DOTALL,
)


def split(text: str) -> list[str]:
    """Return the clauses as written, one where the condition is no conjunction."""
    depth = start = 0
    parts = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        elif depth == 0 and token in ("||", "?"):
            return [text.strip()]
        elif depth == 0 and token == "&&":  # noqa: S105  # no password
            parts.append(text[start : match.start()].strip())
            start = match.end()
    return [*parts, text[start:].strip()]
