"""
Errors of rules.

    InvalidRules      a rules document has faults: all of them, each with line and remedy
    InvalidChange     a change does not fit the rules in force
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fault(NamedTuple):
    """One thing wrong with a rules document."""

    line: int
    """In the document, from 1."""
    rule: str
    """Id of the rule, or its place where it has none."""
    text: str
    """What is wrong and what to do; may have several lines."""


class InvalidRules(Exception):
    """A rules document cannot be used; `faults` holds everything that is wrong with it."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults)
        shown = (f"{name}:{fault.line}: {fault.rule}: {fault.text}" for fault in self.faults)
        super().__init__("\n".join(shown))


class InvalidChange(Exception):
    """A change does not fit the rules in force; the message says why, one line for each fault."""
