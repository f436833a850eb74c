"""Rules files, and rules that alerts may have come from. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.rules.engine import compile_rules
from streams.rules.errors import Fault, InvalidRules
from streams.rules_store import RulesStore

if TYPE_CHECKING:
    from pathlib import Path

    from streams.rules.active import Active
    from streams.settings import Settings


async def known_rules(settings: Settings) -> list[Active]:
    """
    Return every version of a rule that can be found: those of the file RULES, and those that `rules.v1` still holds.

    Raises:
        InvalidRules, OSError: of the file.
        KafkaShellError: of the topic; that there is none is no error.
    """
    return [*compile_file(settings.rules), *await RulesStore(settings).versions()]


def compile_file(path: Path) -> list[Active]:
    """Return the rules of a file, ready to run; raises InvalidRules and OSError."""
    return compile_rules(read_text(path), name=str(path))


def read_text(path: Path) -> str:
    """Return the text of a file of rules or tests; raises OSError, and InvalidRules where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRules(str(path), [Fault(1, "document", f"no text in UTF-8: {error.reason}")]) from None
