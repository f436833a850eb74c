"""
The exit codes of every command, in one place. Pure.

A command's help tells the codes it can end with, through `pages.page`; what a code means is the same everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
KAFKA: Final = 4
UNPUBLISHED: Final = 5
FLOODED: Final = 6
INTERRUPTED: Final = 130

MEANINGS: Final[Mapping[int, str]] = {
    DONE: "done, or stopped as asked",
    FAILED: "it did not succeed, or a defect: what is printed says which",
    USAGE: "wrong usage, or settings or a file that are missing or wrong",
    REFUSED: "the provider refused the API key",
    KAFKA: "Kafka cannot be reached, or a topic has other settings than the contract's",
    UNPUBLISHED: "Kafka did not take every record; the next start fetches those orders from REST",
    FLOODED: "too many dead letters in a minute (DEAD_LIMIT): the fault may be this version's",
    INTERRUPTED: "interrupted by Ctrl-C before it was done",
}


def told(codes: Mapping[int, str]) -> str:
    """Return the lines for a help page; an empty text takes the code's general meaning."""
    width = max(len(str(code)) for code in codes)
    return "\n".join(f"  {code:>{width}}  {codes[code] or MEANINGS[code]}" for code in sorted(codes))
