"""`python -m streams rules ...`: everything about writing rules and trying them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from streams.commands import backtest, command, difference, rules_in_force, ruletest, score
from streams.commands.known import compile_file
from streams.rules.reference import reference
from streams.settings import SHIPPED_RULES

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands


def register(commands: Commands) -> None:
    """Add `rules` and its actions."""
    actions = command(commands, "rules", "Write rules, try them, and put them in force.").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    check = command(actions, "check", "Type-check a rules file.")
    check.add_argument("file", type=Path, nargs="?", default=SHIPPED_RULES, help="default: the rules shipped")
    check.set_defaults(run=_check)
    command(actions, "vocabulary", "List every variable that a rule can use, as Markdown tables.").set_defaults(
        run=_vocabulary
    )
    ruletest.register(actions)
    backtest.register(actions)
    difference.register(actions)
    rules_in_force.register(actions)
    score.register(actions)


def _check(given: argparse.Namespace) -> int:
    rules = compile_file(given.file)
    sys.stdout.write(f"{len(rules)} rule{'' if len(rules) == 1 else 's'}, all fine\n")
    return 0


def _vocabulary(_: argparse.Namespace) -> int:
    sys.stdout.write(reference() + "\n")
    return 0
