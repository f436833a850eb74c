"""`python -m streams rules test`. Shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from connector.contract.topics import DEFAULT_PARTITIONS
from connector.kafka.partitioner import partitioner
from connector.process.exits import DONE, FAILED, USAGE
from streams.commands import command
from streams.commands.known import read_text
from streams.rules.engine import load_rules
from streams.rules.errors import Fault, InvalidRules
from streams.rules.names import nearest
from streams.ruletest import document
from streams.ruletest.document import read_tests
from streams.ruletest.report import report
from streams.ruletest.run import run_case

if TYPE_CHECKING:
    import argparse

    from streams.commands import Commands
    from streams.rules.engine import Engine
    from streams.ruletest.document import RuleTests

_DOC = f"""\
Test rules: orders in, alerts expected at given times.

The orders run through the code of the worker. Prints a line per test, and of a test that fails what was expected and
what came.
{document.__doc__ or ""}"""


def register(actions: Commands) -> None:
    """Add `test`."""
    parser = command(
        actions,
        "test",
        _DOC,
        "rules test my-rules.test.yaml",
        codes={DONE: "all passed", FAILED: "a test failed", USAGE: "a file cannot be used: every fault with its line"},
        settings="none",
    )
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files with tests")
    parser.set_defaults(run=_test)


def _test(given: argparse.Namespace) -> int:
    loaded = [(path, *_load(path)) for path in given.files]
    partition = partitioner(DEFAULT_PARTITIONS)
    passed = failed = 0
    for path, tests, engine in loaded:
        for case in tests.cases:
            outcome = run_case(case, engine, market_partition=partition)
            sys.stdout.write("\n".join(report(outcome, name=str(path))) + "\n")
            passed += outcome.passed
            failed += not outcome.passed
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return FAILED if failed else 0


def _load(path: Path) -> tuple[RuleTests, Engine]:
    tests = read_tests(read_text(path), name=str(path))
    if tests.rules_path is None:
        engine = load_rules(tests.rules_text, name=str(path))
    else:
        rules = path.parent / tests.rules_path
        engine = load_rules(read_text(rules), name=str(rules))
    _check(tests, engine, path)
    return tests, engine


def _check(tests: RuleTests, engine: Engine, path: Path) -> None:
    """Refuse expectations of rules that there are not: they would look like rules that do not fire."""
    known = [rule.id for rule in engine.rules]
    named = [(alert.line, case.name, alert.rule) for case in tests.cases for alert in case.alerts]
    named += [(case.line, case.name, rule) for case in tests.cases for rule in case.only]
    faults = [
        Fault(line, case, f"no rule {rule}{nearest(rule, known)}") for line, case, rule in named if rule not in known
    ]
    if faults:
        raise InvalidRules(str(path), faults)
