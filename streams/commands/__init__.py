"""
The commands of `python -m streams`, one a module.

Each has `register(commands)`, which adds its parsers and sets `run`, a function from the arguments to the exit code.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name
    """What parsers of commands are added to."""


def command(commands: Commands, name: str, doc: str) -> argparse.ArgumentParser:
    """Add a command whose help begins with what it does."""
    return commands.add_parser(
        name, help=doc.partition("\n")[0], description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
