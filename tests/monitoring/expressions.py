"""What of an alert's expression returns data although nothing is wrong: its sides without the comparison. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLES: Final = {"$namespace": ".*", "$instance": ".*", "$__rate_interval": "20s", "$__range": "5m"}
"""What Grafana puts in for the dashboard's variables; a rate's interval is four scrapes at least."""

_BETWEEN = re.compile(r"(==|!=|>=|<=|>|<|\bunless\b|\band\b|\bor\b)")
_MATCHING = re.compile(r"^(?:bool\b|on \([^)]*\)|ignoring \([^)]*\)|group_left \([^)]*\)|group_right \([^)]*\))\s*")
_ABSENT = re.compile(r"^absent\((.*)\)$", re.DOTALL)
_OFFSET = re.compile(r"\s+offset \d+[smhd]")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def filled(expr: str, variables: Mapping[str, str] = VARIABLES) -> str:
    """Return a panel's query with its variables filled in."""
    for name, value in variables.items():
        expr = expr.replace(name, value)
    return expr


def sides(expr: str) -> Iterator[str]:
    """
    Yield what an expression compares and combines, down to what has no comparison outside of a function's brackets.

    Numbers are left out, `absent(x)` is x, and what was an hour ago is now: the system that is asked is young.
    """
    parts = [_unwrapped(_operand(part)) for part in _split(expr)]
    if len(parts) > 1:
        for part in parts:
            yield from sides(part)
        return
    (side,) = parts
    if absent := _ABSENT.match(side):
        yield absent[1]
    elif re.search(r"[a-z_]{3}", side):
        yield _OFFSET.sub("", side)


def _operand(part: str) -> str:
    """Return a side without the words that say how to match it."""
    while found := _MATCHING.match(part.strip()):
        part = part.strip()[found.end() :]
    return part.strip()


def _split(expr: str) -> list[str]:
    """Return the operands of comparisons and set operators that stand in no brackets."""
    plain = _QUOTED.sub(lambda found: '"' + "." * (len(found[0]) - 2) + '"', expr)
    depth, begin, parts, at = 0, 0, [], 0
    while at < len(plain):
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(plain[at], 0)
        found = _BETWEEN.match(plain, at) if depth == 0 else None
        if found:
            parts.append(expr[begin:at])
            begin = at = found.end()
        else:
            at += 1
    return [*parts, expr[begin:]]


def _unwrapped(part: str) -> str:
    """Return what stands in brackets that hold all of it."""
    while part.startswith("(") and _closing(part) == len(part) - 1:
        part = part[1:-1].strip()
    return part


def _closing(part: str) -> int:
    """Return where the first bracket is closed."""
    depth = 0
    for at, char in enumerate(part):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0:
            return at
    raise AssertionError(f"a bracket is not closed in {part}")
