"""Messages: text with `{variable}` or `{variable:format}`, the format being Python's."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING

from streams.rules.names import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.rules.catalogue import Value, Variable

MOST_CHARACTERS = 4_000
"""Of a message: titles are written by strangers."""

_FORMAT = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?[0-9]{0,3}[,_]?(?:\.[0-9]{1,2})?[bdeEfFgGosxX%]?", re.ASCII)
_SAMPLES: dict[str, Value] = {"bool": True, "int": 1, "double": 1.0, "string": "x"}


class Template:
    """A message whose placeholders are known to be right."""

    def __init__(self, text: str, known: Mapping[str, Variable]) -> None:
        """Check every placeholder; raises ValueError with all that is wrong."""
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"message: {error}; a brace itself is written twice") from error
        self._parts = [(literal, name, form or "") for literal, name, form, _ in parsed]
        faults = [fault for _, name, form in self._parts if name is not None for fault in _faults(name, form, known)]
        faults += [f"{{{name}!{conversion}}}: write {{{name}}}" for _, name, _, conversion in parsed if conversion]
        if faults:
            raise ValueError("\n".join(f"message: {fault}" for fault in faults))
        self.variables = tuple({name: known[name] for _, name, _ in self._parts if name is not None}.values())

    def render(self, values: Mapping[str, Value]) -> str:
        """Return the message with the values filled in."""
        text = "".join(
            literal if name is None else literal + format(values[name], form) for literal, name, form in self._parts
        )
        return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"


def _faults(name: str, form: str, known: Mapping[str, Variable]) -> list[str]:
    if name not in known:
        return [f"unknown placeholder {{{name}}}{nearest(name, known)}"]
    if not _FORMAT.fullmatch(form):
        return [f"format of {{{name}:{form}}}: expected a short one such as ,.2f or >10"]
    try:
        format(_SAMPLES[known[name].type], form)
    except ValueError as error:
        return [f"format of {{{name}:{form}}} does not suit a {known[name].type}: {error}"]
    return []
