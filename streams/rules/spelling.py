"""Texts that a variable never equals: a rule that compares it with one would never fire, and nobody would know why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from streams.rules.checked import Call, Constant, Items, Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.rules.checked import Node

_LOWER: Final = re.compile(r"[^A-Z]*")
_SPELLED: Final = {
    "order.side": re.compile("BUY|SELL"),
    "order.wallet": _LOWER,
    "wallet.address": _LOWER,
    "market.id": _LOWER,
}
_COMPARISONS: Final = {"equals", "not_equals", "in_list"}


def impossible(node: Node) -> Iterator[tuple[str, str]]:
    """Yield each variable that an expression compares with a text that it never is, and the text."""
    if isinstance(node, Call):
        if node.overload in _COMPARISONS:
            yield from _compared(node.arguments)
        for argument in node.arguments:
            yield from impossible(argument)


def _compared(arguments: tuple[Node, ...]) -> Iterator[tuple[str, str]]:
    names = [each.name for each in arguments if isinstance(each, Name) and each.name in _SPELLED]
    for name in names:
        for text in filter(None, map(_text, _flat(arguments))):
            if not _SPELLED[name].fullmatch(text):
                yield name, text


def _flat(arguments: tuple[Node, ...]) -> Iterator[Node]:
    for each in arguments:
        yield from each.items if isinstance(each, Items) else (each,)


def _text(node: Node) -> str | None:
    return node.value if isinstance(node, Constant) and isinstance(node.value, str) else None
