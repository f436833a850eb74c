"""Help pages: what a command does, how it is called, what it reads, how it ends. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.process.exits import told

if TYPE_CHECKING:
    from collections.abc import Mapping


def page(what: str, *examples: str, codes: Mapping[int, str], settings: str = "") -> str:
    """
    Return a help page.

    Args:
        what: The command, the first line in a sentence.
        examples: Command lines that work as they stand, but for addresses and names.
        codes: Exit codes, in words of this command's, or an empty text for their general meaning.
        settings: Those it reads, or where they are listed.
    """
    parts = [
        what.strip(),
        _listed("example" if len(examples) == 1 else "examples", "\n".join(f"  {e}" for e in examples)),
    ]
    if settings:
        parts.append(_listed("settings", "\n".join(f"  {line}".rstrip() for line in settings.strip("\n").splitlines())))
    return "\n\n".join([*parts, _listed("exit codes", told(codes))]) + "\n"


def _listed(head: str, lines: str) -> str:
    return f"{head}:\n{lines}"
