"""
The commands of `python -m streams`, one a module.

Each has `register(commands)`, which adds its parsers and sets `run`, a function from the arguments to the exit code.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from connector.process.pages import page

if TYPE_CHECKING:
    from collections.abc import Mapping

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name
    """What parsers of commands are added to."""


ON_KAFKA = "KAFKA, TOPIC_PREFIX, PARTITIONS, KAFKA_..., RULES; python -m streams --help lists them"
"""Settings of commands that work on a deployment."""


def command(
    commands: Commands, name: str, doc: str, *examples: str, codes: Mapping[int, str] | None = None, settings: str = ""
) -> argparse.ArgumentParser:
    """
    Add a command.

    Args:
        commands: What to add it to.
        name: Of the command.
        doc: What it does, the first line in a sentence.
        examples: Command lines, without `python -m streams`.
        codes: Exit codes, see `connector.process.pages`; None: `doc` is a whole page.
        settings: Those it reads, or where they are listed.
    """
    lines = [f"python -m streams {example}" for example in examples]
    return commands.add_parser(
        name,
        help=doc.partition("\n")[0],
        description=doc if codes is None else page(doc, *lines, codes=codes, settings=settings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
