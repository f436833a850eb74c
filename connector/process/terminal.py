"""The terminal that commands print tables to."""

from __future__ import annotations

import sys

from rich.console import Console

_PIPE_WIDTH = 250
"""Columns where there is no terminal to fit into."""


def terminal(*, highlight: bool = True) -> Console:
    """Return the console of standard output."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=highlight)
