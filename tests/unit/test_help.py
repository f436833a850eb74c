"""Every command's help is a small manual: what it does, an example that works, settings, exit codes."""

from __future__ import annotations

import argparse
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from connector.__main__ import _parser as connector_parser
from connector.local.options import make_parser as local_parser
from connector.process.exits import MEANINGS
from connector.simulator.__main__ import _parser as simulator_parser
from streams.__main__ import _parser as streams_parser
from streams.notify.sink import make_parser as sink_parser
from streams.shards.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Iterator

PARSERS = {
    parser.prog: parser
    for parser in (connector_parser(), local_parser(), simulator_parser(), streams_parser(Shard), sink_parser())
}


def walked(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and all below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from walked(below)


COMMANDS = {re.sub(r"\s+", " ", each.prog): each for parser in PARSERS.values() for each in walked(parser)}


def section(help_text: str, head: str) -> list[str]:
    """Return the indented lines below a heading."""
    found = re.search(rf"^{head}:\n((?:  .*\n)+)", help_text, re.MULTILINE)
    return [] if found is None else [line.strip() for line in found[1].splitlines()]


def test_there_are_all_commands() -> None:
    """So that nothing below passes for want of them."""
    assert {"python -m connector doctor", "python -m connector watch add", "python -m connector.local demo"} <= set(
        COMMANDS
    )
    assert {"python -m connector.simulator", "python -m streams worker", "python -m streams rules apply"} <= set(
        COMMANDS
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_says_what_the_command_does_and_how_it_ends(name: str) -> None:
    """With exit codes of which everybody means the same."""
    page = COMMANDS[name].format_help()
    description = COMMANDS[name].description or ""
    assert re.match(r"[A-Z`].*[.,:;)a-z]$", description.splitlines()[0]), description
    codes = [int(line.split()[0]) for line in section(page, "exit codes") if line[0].isdigit()]
    assert codes[:1] == [0], page
    assert codes == sorted(set(codes))
    assert set(codes) <= set(MEANINGS)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_work_as_they_stand(name: str) -> None:
    """Each is understood by the parser it is for, and at least one is of this very command."""
    page = COMMANDS[name].format_help()
    examples = [re.sub(r"^(\w+=\S+ )*", "", line) for line in section(page, "examples?")]
    assert any(f"{example} ".startswith(f"{name} ") for example in examples), page
    for example in examples:
        program, *arguments = shlex.split(example.removeprefix("python -m ").partition(" < ")[0])
        PARSERS[f"python -m {program}"].parse_known_args(arguments)


def test_examples_are_no_unknown_options(capsys: pytest.CaptureFixture[str]) -> None:
    """What `parse_known_args` lets pass is only what the console consumer takes."""
    for page in (parser.format_help() for parser in COMMANDS.values()):
        for line in section(page, "examples?"):
            _, _, call = line.partition("python -m ")
            program, *arguments = shlex.split(call.partition(" < ")[0])
            _, rest = PARSERS[f"python -m {program}"].parse_known_args(arguments)
            assert not rest or "consume" in arguments, line
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    """In a few words, unless its name is all there is to say."""
    plain = {"wallets", "file", "id", "alert_id", "command", "action", "topic", "partition"}
    unexplained = [action.dest for action in COMMANDS[name]._actions if not action.help and action.dest not in plain]
    assert not unexplained, unexplained
