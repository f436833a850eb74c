"""`python -m streams rules apply|list|pause|resume|remove|promote|silence|unsilence`: rules in force, by `rules.v1`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from connector.contract.errors import ContractError
from connector.kafka.errors import KafkaShellError
from connector.process.environment import load
from connector.process.exits import DONE, FAILED, INTERRUPTED, KAFKA, USAGE
from connector.process.terminal import terminal
from streams.commands import ON_KAFKA, command
from streams.commands.known import compile_file
from streams.durations import parse_duration
from streams.rules import plan, silencing
from streams.rules.errors import InvalidChange
from streams.rules.listing import as_json, moment, tables
from streams.rules_store import RulesStore
from streams.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from streams.commands import Commands
    from streams.rules.active import Active
    from streams.rules.plan import Plan
    from streams.rules.registry import Registry

    File = Sequence[Active]
    """The rules of the workers' file."""
    Act = Callable[[argparse.Namespace, RulesStore, File], Awaitable[None]]
    Planned = Callable[[argparse.Namespace, Registry], Plan]

_TIMEOUT_S = 60.0

_MANUAL = """
A change takes effect on every worker, without a restart, RULES_DELAY after Kafka has it. It needs the workers' KAFKA,
TOPIC_PREFIX and PARTITIONS, and their RULES: the rules of that file are in force where the topic says nothing.
"""
_CODES = {
    DONE: "",
    FAILED: "it does not fit the rules in force: nothing is changed",
    USAGE: "wrong usage, settings or rules",
    KAFKA: "",
    INTERRUPTED: "",
}
_EXAMPLES = {
    "apply": ("my-rules.yaml --dry-run", "my-rules.yaml --shadow"),
    "list": ("--json",),
    "pause": ("whale-buys",),
    "resume": ("whale-buys",),
    "promote": ("whale-buys",),
    "unsilence": ("3f2a9c",),
    "remove": ("whale-buys --shadow",),
    "silence": ('rule=whale-buys "subject=0x6031*" --for 2h --comment "moving house"',),
}


def register(actions: Commands) -> None:
    """Add the actions."""
    applying = _add(actions, "apply", "Put the rules of a file in force: all of them or, if one is bad, none.", _apply)
    applying.add_argument("file", type=Path)
    applying.add_argument("--dry-run", action="store_true", help="only say what would change")
    applying.add_argument("--shadow", action="store_true", help="put them on trial beside the versions in force")
    applying.add_argument("--prune", action="store_true", help="remove rules of the topic that are not in the file")
    listing = _command(actions, "list", "List rules and silences, where they are from, and since when.")
    listing.add_argument("--json", action="store_true", help="for programs, with the whole rules")
    listing.set_defaults(run=lambda given: _run(given, _list))
    for name, doc, planned in _BY_ID:
        _add(actions, name, doc, planned).add_argument("id")
    removing = _add(actions, "remove", "Take a rule from the topic; the file's version is in force again.", _remove)
    removing.add_argument("id")
    removing.add_argument("--shadow", action="store_true", help="the version on trial")
    silent = _add(actions, "silence", "Mark alerts with all of these values, so that nobody is notified.", _silence)
    silent.add_argument(
        "matchers",
        nargs="+",
        metavar="MATCHER=VALUE",
        help="rule, subject, severity, scope, market or a label; the value may end in *",
    )
    silent.add_argument("--for", dest="for_ms", type=_duration, required=True, metavar="DURATION", help="2h, 30m")
    silent.add_argument("--comment", default="", help="for people")


_BY_ID: tuple[tuple[str, str, Planned], ...] = (
    ("pause", "Switch a rule off; its alerts resolve.", lambda given, known: plan.pause(known, given.id)),
    ("resume", "Switch a paused rule on.", lambda given, known: plan.resume(known, given.id)),
    ("promote", "Put the version on trial in force.", lambda given, known: plan.promote(known, given.id)),
    ("unsilence", "End a silence.", lambda given, known: silencing.unsilence(known, given.id)),
)


def _add(actions: Commands, name: str, doc: str, planned: Planned) -> argparse.ArgumentParser:
    """Add an action that changes something."""

    async def change(given: argparse.Namespace, store: RulesStore, file: File) -> None:
        await _change(planned(given, await store.read(file)), store, dry_run=given.dry_run)

    parser = _command(actions, name, doc)
    parser.set_defaults(run=lambda given: _run(given, change), dry_run=False)
    return parser


def _command(actions: Commands, name: str, doc: str) -> argparse.ArgumentParser:
    examples = (f"rules {name} {options}" for options in _EXAMPLES[name])
    return command(actions, name, f"{doc}\n{_MANUAL}", *examples, codes=_CODES, settings=ON_KAFKA)


def _run(given: argparse.Namespace, act: Act) -> int:
    settings = load(Settings, given.env_file)
    file = compile_file(settings.rules)
    try:
        asyncio.run(asyncio.wait_for(act(given, RulesStore(settings), file), _TIMEOUT_S))
    except InvalidChange as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except TimeoutError:
        sys.stderr.write(f"the Kafka at {settings.kafka} did not answer within {_TIMEOUT_S:.0f} s\n")
        return KAFKA
    except (KafkaShellError, ContractError, KafkaError) as error:
        sys.stderr.write(f"{error}\n")
        return KAFKA
    return DONE


async def _change(planned: Plan, store: RulesStore, *, dry_run: bool) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in planned.lines))
    if not planned.records:
        sys.stdout.write("nothing to change\n")
    elif dry_run:
        sys.stdout.write(f"would write {len(planned.records)} records\n")
    else:
        since = await store.write(planned.records)
        sys.stdout.write(f"in force for orders from {moment(since)} on\n")


async def _list(given: argparse.Namespace, store: RulesStore, file: File) -> None:
    registry = await store.read(file)
    if given.json:
        sys.stdout.write(as_json(registry).decode() + "\n")
        return
    console = terminal()
    for table in tables(registry, now_ms=_now_ms()):
        console.print(table)


def _apply(given: argparse.Namespace, known: Registry) -> Plan:
    rules = [active.rule for active in compile_file(given.file)]
    return plan.apply(known, rules, shadow=given.shadow, prune=given.prune)


def _remove(given: argparse.Namespace, known: Registry) -> Plan:
    return plan.remove(known, given.id, shadow=given.shadow)


def _silence(given: argparse.Namespace, known: Registry) -> Plan:
    return silencing.silence(
        known,
        silencing.parse_matchers(given.matchers, known),
        now_ms=_now_ms(),
        for_ms=given.for_ms,
        comment=given.comment,
        created_by=_user(),
    )


def _duration(text: str) -> int:
    try:
        milliseconds = parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not milliseconds:
        raise argparse.ArgumentTypeError("a silence of no time silences nothing")
    return milliseconds


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return ""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
