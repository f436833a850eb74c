"""`python -m streams rules ...`: everything about writing rules and trying them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from connector.process.exits import DONE, FAILED, KAFKA, USAGE
from streams.commands import ON_KAFKA, backtest, command, difference, rules_in_force, ruletest, score
from streams.commands.known import compile_file
from streams.rules.reference import reference
from streams.settings import SHIPPED_RULES

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands


def register(commands: Commands) -> None:
    """Add `rules` and its actions."""
    rules = command(
        commands,
        "rules",
        "Write rules, try them, and put them in force.\n\nEach action has a page of its own: `ACTION --help`.",
        "rules check my-rules.yaml",
        "rules backtest --orders kafka --rules my-rules.yaml",
        "rules apply my-rules.yaml --shadow",
        codes={DONE: "", FAILED: "see the action", USAGE: "", KAFKA: ""},
        settings=ON_KAFKA,
    )
    actions = rules.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = command(
        actions,
        "check",
        "Type-check a rules file.\n\nEvery fault is told with its line and what to write instead.",
        "rules check my-rules.yaml",
        codes={DONE: "all rules are fine", USAGE: "a rule is wrong, or there is no such file"},
        settings="none",
    )
    check.add_argument("file", type=Path, nargs="?", default=SHIPPED_RULES, help="default: the rules shipped")
    check.set_defaults(run=_check)
    command(
        actions,
        "vocabulary",
        "List every variable that a rule can use, as Markdown tables.",
        "rules vocabulary",
        codes={DONE: ""},
        settings="none",
    ).set_defaults(run=_vocabulary)
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
