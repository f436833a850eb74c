"""Templates of notifications: text with `{name}`. Pure."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Final

import msgspec

from streams.rules.names import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TITLE: Final = "{repeat}{severity}: {count} {alerts}{group}"
ALERT: Final = "{severity} {rule}: {message}"

TITLE_NAMES: Final = ("repeat", "severity", "count", "alerts", "group", "receiver", "rule")
ALERT_NAMES: Final = (
    *("severity", "rule", "message", "reason", "transition", "scope", "subject", "market"),
    *("alert_id", "episode", "time"),
)


class Templates(msgspec.Struct, frozen=True):
    """What notifications look like."""

    title: str = TITLE
    alert: str = ALERT
    """The first line of each alert."""
    link: str = ""
    """To where more is to be seen of an alert, such as a board; values are quoted for URLs."""


def check(text: str, known: Iterable[str]) -> str:
    """Return a template as it is; ValueError where it has something else than `{name}` with these names."""
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{error}; a brace itself is written twice") from None
    for _, name, form, conversion in parsed:
        if name is not None and (form or conversion):
            raise ValueError(f"write {{{name}}} alone, without a format")
        if name is not None and name not in known:
            raise ValueError(f"unknown placeholder {{{name}}}{nearest(name, known)}")
    return text


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the text with the values filled in."""
    return template.format_map(values)
