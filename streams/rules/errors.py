"""
Errors of rules.

    InvalidDocument       a file people wrote has faults: all of them, each with line and remedy
    └── InvalidRules      and it is one of rules
    InvalidChange         a change does not fit the rules in force
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fault(NamedTuple):
    """One thing wrong with a document."""

    line: int
    """In the document, from 1."""
    rule: str
    """Name of the entry, such as a rule's id, or its place where it has none."""
    text: str
    """What is wrong and what to do; may have several lines."""


class InvalidDocument(Exception):
    """A document cannot be used; `faults` holds everything that is wrong with it."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults)
        shown = (f"{name}:{fault.line}: {fault.rule}: {fault.text}" for fault in self.faults)
        super().__init__("\n".join(shown))


class InvalidRules(InvalidDocument):
    """A rules document, or one with tests of rules."""


class InvalidChange(Exception):
    """A change does not fit the rules in force; the message says why, one line for each fault."""
