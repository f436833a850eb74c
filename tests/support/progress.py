"""Tells people at a terminal how far a long run is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[[str], None]


def teller() -> Say:
    """Return what prints a line to stderr, after the seconds since now."""
    progress, began = Console(stderr=True, highlight=False), time.perf_counter()

    def say(text: str) -> None:
        progress.print(f"[dim]{time.perf_counter() - began:5.0f} s[/]  {text}", soft_wrap=True)

    return say
