"""Secrets in a configuration: `${NAME}` from the environment, `file:/path` from a file. Pure: readers are given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from streams.rules.names import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_FILE = "file:"
_PIECE = re.compile(r"[/?&=@:,+]+")
_TELLING = 8
"""Characters from which on a piece of a URL may be a secret."""


class Sources(NamedTuple):
    """Where secrets come from."""

    environment: Mapping[str, str]
    read: Callable[[str], str]
    """Returns the text of a file; raises OSError."""


class Secret(NamedTuple):
    """A text with its secrets filled in."""

    text: str
    hidden: frozenset[str]
    """What must not be shown."""


def resolve(written: str, sources: Sources) -> Secret:
    """Return what is meant; ValueError, without any secret, where it cannot be had."""
    if written.startswith(_FILE):
        return _checked(_from_file(written.removeprefix(_FILE), sources))
    names = _NAME.findall(written)
    missing = [name for name in names if not sources.environment.get(name)]
    if missing:
        hints = "".join(nearest(name, sources.environment) for name in missing[:1] if len(sources.environment) > 12)
        raise ValueError(f"{' and '.join(missing)} not set in the environment{hints}")
    return _checked(_NAME.sub(lambda match: sources.environment[match[1]], written))


def pieces(text: str) -> frozenset[str]:
    """Return the text, and the pieces of it that may tell a secret."""
    return frozenset({text, *(piece for piece in _PIECE.split(text) if len(piece) >= _TELLING)})


def _from_file(path: str, sources: Sources) -> str:
    try:
        text = sources.read(path).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file {path} cannot be read ({type(error).__name__})") from None
    if not text:
        raise ValueError(f"the file {path} is empty")
    return text


def _checked(text: str) -> Secret:
    if not text.isprintable():
        raise ValueError("holds characters that cannot be printed, maybe the end of a line")
    return Secret(text, pieces(text))
