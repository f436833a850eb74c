"""`python -m streams rules score`. Shell."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from connector.contract.errors import InvalidRecord
from connector.kafka.errors import KafkaShellError
from connector.kafka.reader import reading
from connector.process.environment import load
from connector.process.exits import DONE, INTERRUPTED, KAFKA, USAGE
from connector.process.terminal import terminal
from streams.commands import ON_KAFKA, command
from streams.grades import decode_grade
from streams.rules.scorecard import Scorecards, as_json, table
from streams.settings import Settings
from streams.topics import ALERT_GRADES

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands

_TIMEOUT_S = 300.0

_DOC = """\
Say how the alerts of each rule turned out.

Reads alert-grades.v1: the price at GRADE_AFTER after each alert, and at the market's end, against the price at which
its order traded. Per rule, version, mode and horizon: the mean return per USDC, without fees, and the share of
positive returns, with 95 % confidence intervals; `too few` where fewer than 10 alerts are graded. The intervals take
alerts as independent: of many at the same time in the same market, believe less.
"""


def register(actions: Commands) -> None:
    """Add the action."""
    parser = command(
        actions,
        "score",
        _DOC,
        "rules score --rule whale-buys",
        codes={DONE: "", USAGE: "", KAFKA: "Kafka cannot be reached, or there is no such topic", INTERRUPTED: ""},
        settings=ON_KAFKA,
    )
    parser.add_argument("--rule", metavar="ID", help="this rule only")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_score)


def _score(given: argparse.Namespace) -> int:
    settings = load(Settings, given.env_file)
    try:
        cards = asyncio.run(asyncio.wait_for(_read(settings, given.rule), _TIMEOUT_S))
    except TimeoutError:
        sys.stderr.write(f"the Kafka at {settings.kafka} did not answer in full within {_TIMEOUT_S:.0f} s\n")
        return KAFKA
    except KafkaShellError as error:
        sys.stderr.write(f"{error}\n")
        return KAFKA
    scores = cards.scores()
    if given.json:
        sys.stdout.write(as_json(scores).decode() + "\n")
    elif scores:
        terminal().print(table(scores))
    else:
        sys.stdout.write(f"no grades yet{f' of rule {given.rule}' if given.rule else ''}\n")
    return DONE


async def _read(settings: Settings, rule: str | None) -> Scorecards:
    cards, strange = Scorecards(), 0
    topic = settings.topic_prefix + ALERT_GRADES.name
    async with reading(settings.kafka, topic, **settings.client()) as batches:
        async for batch in batches:
            for record in batch:
                try:
                    grade = decode_grade(record.value or b"")
                except InvalidRecord:
                    strange += 1
                    continue
                if rule is None or grade.rule == rule:
                    cards.add(grade)
    if strange:
        sys.stderr.write(f"{strange} records of {topic} are no grades\n")
    return cards
