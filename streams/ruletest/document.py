"""
Files with tests of rules.

    rules: my-rules.yaml             # a rules file, relative to this one; or the rules themselves, as a list
    defaults: {wallet: whale}        # for the orders of all tests; a test may have its own, too
    tests:
      - name: a burst is told once, and ends when it is over        # required, unique
        only: [burst]                # look at alerts of these rules only; default: of all
        orders:                      # what is given
          - {at: 0s, usdc: 150}      # executed then; the defaults are below
          - {at: 30s, usdc: 5, repeat: 20 every 1s, delay: 2s}
        alerts:                      # exactly what is expected; [] for none
          - {at: 50s, rule: burst, wallet: whale}
          - {at: 1m30s, rule: burst, transition: resolved}
        until: 10m                   # how long time goes on; default: to the last order and the last alert

Times count from the beginning of a test, as `30s`, `1h30m` or `1500ms`. No clock has a part in it.

An order:

    at        when it was executed (required); blocks have whole seconds
    delay     how much later it arrived; default 0s. Alerts come when orders arrive
    wallet    a name, or an address (0x...); default `wallet`
    market    a name, which is also its slug and title, or a condition id; default `market`; null: not known
    outcome   default Yes
    side      BUY | SELL; default BUY
    price     USDC per share; default 0.5
    usdc      what it cost or brought; default 10. Or
    shares    how many shares
    label     the wallet's label on the watch-list; default none
    source    ws | backfill | replay; default ws
    repeat    `20 every 1s`: so many orders, so far apart

An alert; what is not given is not compared:

    at          when it comes (required)
    rule        id of the rule (required)
    transition  firing | escalated | resolved; default firing
    wallet, market or subject   whom it is about, by the same names as in orders
    group       values of group_by, such as {market.id: btc}
    message     the text as people see it
    severity    info | warning | critical
    labels      all of them
    values      some of the variables the rule reads, such as {wallet.w1m.orders: 20}

Rules in mode SHADOW are tested like active ones; those that are PAUSED do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import yaml

from streams.rules import nodes
from streams.rules.errors import Fault, InvalidRules
from streams.rules.nodes import Reader
from streams.ruletest.reading import read_case, read_defaults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streams.ruletest.cases import Case

_FILE: Mapping[str, nodes.Read] = {"rules": nodes.itself, "defaults": nodes.itself, "tests": nodes.items}


class RuleTests(NamedTuple):
    """A file of tests."""

    rules_path: str | None
    """As written; None: the rules are in the file."""
    rules_text: str
    """These, as a rules document whose lines are those of the file."""
    cases: list[Case]


def read_tests(text: str, *, name: str) -> RuleTests:
    """
    Return what a file of tests holds; `name` is for errors.

    Raises:
        InvalidRules: with every fault of the file, by line.
    """
    reader = Reader()
    root = reader.compose(text, expected="rules and tests, see --help")
    if root is None:
        raise InvalidRules(name, reader.faults)
    fields = reader.mapping(root, "document", _FILE, required=("rules", "tests"))
    defaults = read_defaults(reader, fields.get("defaults"), "defaults")
    cases = [read_case(reader, node, place, defaults) for place, node in enumerate(fields.get("tests", []), start=1)]
    _unique(reader, cases)
    rules = fields.get("rules")
    path = rules.value if isinstance(rules, yaml.ScalarNode) and rules.value else None
    if rules is not None and path is None and not isinstance(rules, yaml.SequenceNode):
        reader.fault(rules, "document", "rules: expected the path of a rules file, or a list of rules")
    if reader.faults:
        raise InvalidRules(name, reader.faults)
    return RuleTests(path, "" if path or rules is None else _as_document(text, rules), cases)


def _as_document(text: str, rules: yaml.Node) -> str:
    """Return a list of rules as a document, each on the line where it is written."""
    begin, end = rules.start_mark, rules.end_mark
    written = text[begin.index : end.index]
    if text[: begin.index].rpartition("\n")[2].strip():  # on the line of its key
        return "\n" * begin.line + "rules: " + written
    return "\n" * (begin.line - 1) + "rules:\n" + " " * begin.column + written


def _unique(reader: Reader, cases: list[Case]) -> None:
    first: dict[str, int] = {}
    for case in cases:
        if case.name in first:
            reader.faults.append(Fault(case.line, case.name, f"name is taken by the test on line {first[case.name]}"))
        first.setdefault(case.name, case.line)
