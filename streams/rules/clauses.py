"""The clauses of a condition: the parts between its outermost `&&`, or between its outermost `||`."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Operator = Literal["&&", "||"]

_TOKEN = re.compile(
    r"""r?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"|//[^\n]*|&&|\|\||[()\[\]{}?]",
    re.DOTALL,
)


class Split(NamedTuple):
    """A text and the parts it is joined of."""

    operator: Operator | None
    """None: it is one part."""
    parts: list[str]


def split(text: str) -> Split:
    """Return the parts as written; `||` binds weaker than `&&`, and a conditional is one part."""
    text = _bare(text.strip())
    joints = _outermost(text)
    if any(joint == "?" for joint, _, _ in joints):
        return Split(None, [text])
    for operator in _OPERATORS:
        cuts = [(start, end) for joint, start, end in joints if joint == operator]
        if cuts:
            starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
            return Split(operator, [text[start:end].strip() for start, end in zip(starts, ends, strict=True)])
    return Split(None, [text])


_OPERATORS: tuple[Operator, ...] = ("||", "&&")


def _outermost(text: str) -> list[tuple[str, int, int]]:
    """Return the operators outside all brackets, with begin and end."""
    depth, found = 0, []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in ("(", "[", "{"):
            depth += 1
        elif token in (")", "]", "}"):
            depth -= 1
        elif depth == 0 and token in ("&&", "||", "?"):
            found.append((token, match.start(), match.end()))
    return found


def _bare(text: str) -> str:
    """Return the text without parentheses around all of it."""
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for match in _TOKEN.finditer(text):
            depth += {"(": 1, ")": -1}.get(match.group(), 0)
            if depth == 0:
                if match.end() < len(text):
                    return text
                break
        text = text[1:-1].strip()
    return text
