from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from streams.__main__ import main
from streams.ruletest import document
from streams.settings import SHIPPED_RULES

if TYPE_CHECKING:
    from pathlib import Path

RULES = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 100.0, message: "{order.notional:.0f} USDC"}
  - {id: agree, scope: market, severity: critical, expr: market.w1m.wallets >= 2, escalate: market.w1m.wallets,
     message: "{market.w1m.wallets} wallets", labels: {team: desk}}
"""

INLINE = """\
rules:
  - id: large
    scope: wallet
    severity: info
    expr: order.notional >= 100.0
    message: large
    keep_firing_for: 1m
"""


def run(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> int:
    """Run the command on files with tests, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["streams", "rules", "test", *map(str, paths)])
    return main()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a rules file."""
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def written(folder: Path, text: str, name: str = "a.test.yaml") -> Path:
    """Return a file with tests."""
    path = folder / name
    path.write_text(text)
    return path


def test_the_tests_of_the_rules_shipped_pass(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example that users copy is right, and tests every rule that ships."""
    path = SHIPPED_RULES.with_suffix(".test.yaml")
    assert run(monkeypatch, path) == 0
    assert capsys.readouterr().out.endswith("8 passed, 0 failed\n")
    named = path.read_text()
    shipped = [line.split(":")[1].strip() for line in SHIPPED_RULES.read_text().splitlines() if "- id:" in line]
    assert [rule for rule in shipped if f"only: [{rule}]" not in named] == []


def test_the_example_of_the_manual_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `--help` shows is a file that can be used, but for the path of the rules."""
    example = (document.__doc__ or "").split("Files with tests of rules.")[1].partition("Times count")[0]
    (tmp_path / "my-rules.yaml").write_text(SHIPPED_RULES.read_text())
    assert run(monkeypatch, written(tmp_path, textwrap.dedent(example))) == 0


def test_a_failure_shows_what_was_expected_and_what_came(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, unexpected and differing alerts with their times, and why they came; exit code 1."""
    path = written(
        folder,
        """\
rules: rules.yaml
tests:
  - name: wrong in every way
    orders:
      - {at: 0s, usdc: 150, wallet: whale}
      - {at: 90s, usdc: 5, wallet: whale}
      - {at: 95s, usdc: 5, wallet: minnow}
    alerts:
      - {at: 1s, rule: large, wallet: whale, message: "151 USDC"}
      - {at: 2m, rule: large, transition: resolved}
  - name: right
    only: [large]
    orders: [{at: 0s, usdc: 150}]
    alerts: [{at: 0s, rule: large}]
""",
    )
    assert run(monkeypatch, path) == 1
    assert (
        capsys.readouterr().out
        == f"""\
FAIL  {path}:3: wrong in every way
    differs     at 1s       large firing  whale  (line 9)
                at: expected 1s, came 0s
                message: expected 151 USDC, came 150 USDC
                why it came: order.notional >= 100.0 (order.notional = 150)
    missing     at 2m       large resolved  (line 10)
    unexpected  at 1m35s    agree firing  market
                message: 2 wallets
                why it came: market.w1m.wallets >= 2 (market.w1m.wallets = 2)
PASS  {path}: right
1 passed, 1 failed
"""
    )


def test_everything_of_an_alert_can_be_expected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Subjects by name, groups, severities, labels and values; a market's alert escalates with its third wallet."""
    path = written(
        folder,
        """\
rules: rules.yaml
defaults: {market: rain}
tests:
  - name: consensus
    defaults: {shares: 10}
    orders:
      - {at: 0s, wallet: a}
      - {at: 1s, wallet: b, usdc: 7}
      - {at: 2s, wallet: "0x00000000000000000000000000000000000000aa", delay: 1500ms}
    alerts:
      - {at: 1s, rule: agree, market: rain, severity: critical, labels: {team: desk}, group: {}}
      - {at: 3s500ms, rule: agree, transition: escalated, message: 3 wallets, values: {market.w1m.wallets: 3}}
  - name: long after
    orders:
      - {at: 0s, wallet: a, repeat: 2 every 0s}
      - {at: 1h, wallet: a, usdc: 200, label: whale, source: backfill}
    alerts:
      - {at: 1h, rule: large, wallet: a}
""",
    )
    assert run(monkeypatch, path) == 0


def test_time_goes_on_without_orders_to_the_last_alert_expected_or_until(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An alert that ends by itself is seen when time goes on, and only then.

        order 0 s ..... resolved 60 s
    """
    case = "  - {name: %s, orders: [{at: 0s, usdc: 150}], alerts: [{at: 0s, rule: large}%s]%s}\n"
    resolved = ", {at: 60s, rule: large, transition: resolved}"
    tests = (
        case % ("goes on", resolved, "") + case % ("stops", "", "") + case % ("stops before", "", ", until: 59s999ms")
    )
    path = written(tmp_path, INLINE + "tests:\n" + tests)
    assert run(monkeypatch, path) == 0
    late = written(tmp_path, INLINE + "tests:\n" + case % ("comes unexpected", "", ", until: 60s"), "late.yaml")
    assert run(monkeypatch, late) == 1
    assert "unexpected  at 1m       large resolved  wallet" in capsys.readouterr().out


FAULTS = {
    "no YAML": ("rules: [", "1: document: no YAML"),
    "control character": ("rules: \x07\n", "1: document: no YAML"),
    "value": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [],\n    alerts: [{at: 5s, rule: large, values: {x: !a b}}]}",
        "4: a: values: expected a plain value",
    ),
    "empty": ("", "1: document: expected rules and tests, see --help, and it is empty"),
    "unknown key": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [], alert: []}\n",
        "3: test 1: unknown key alert: did you mean alerts?",
    ),
    "missing key": ("rules: rules.yaml\ntests:\n  - {name: a, orders: []}\n", "3: test 1: alerts is missing"),
    "time": (
        "rules: rules.yaml\ntests:\n  - name: a\n    alerts: []\n    orders:\n      - {at: 5}\n",
        "6: a: at: expected whole numbers and units (ms, s, m, h, d) such as 30s or 1h30m, got '5'",
    ),
    "rule": (
        "rules: rules.yaml\ntests:\n  - name: a\n    orders: []\n    alerts:\n      - {at: 5s, rule: larg}\n",
        "6: a: no rule larg: did you mean large?",
    ),
    "only": (
        "rules: rules.yaml\ntests:\n  - {name: a, only: [huge], orders: [], alerts: []}\n",
        "3: a: no rule huge: known are large, agree",
    ),
    "worth": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [{at: 0s, usdc: 1, shares: 1}], alerts: []}\n",
        "3: a: usdc and shares: give one of them",
    ),
    "two subjects": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [], alerts: [{at: 0s, rule: large, wallet: a, market: b}]}\n",
        "3: a: subject, wallet and market",
    ),
    "price": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [{at: 0s, price: 1.5}], alerts: []}\n",
        "3: a: price: expected a number above 0, up to 1, got 1.5",
    ),
    "repeat": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [{at: 0s, repeat: often}], alerts: []}\n",
        "3: a: repeat: expected how often and how far apart, such as 20 every 1s, got 'often'",
    ),
    "side": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [{at: 0s, side: buy}], alerts: []}\n",
        "3: a: side: expected BUY | SELL, got 'buy'",
    ),
    "until": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [{at: 9s}], alerts: [], until: 5s}\n",
        "3: a: until: there is an order that arrives later",
    ),
    "same name": (
        "rules: rules.yaml\ntests:\n  - {name: a, orders: [], alerts: []}\n  - {name: a, orders: [], alerts: []}\n",
        "4: a: name is taken by the test on line 3",
    ),
    "rules are no path": ("rules: {}\ntests: []\n", "1: document: rules: expected the path of a rules file"),
    "inline rule": (
        "#\nrules:\n  - {id: x, scope: wallet, severity: info, message: m,\n     expr: order.pric > 1}\ntests: []",
        "4: x: expr: undeclared reference to 'order.pric'",
    ),
    "inline rule on the line": (
        "# a remark\nrules: [{id: x, scope: wallet, severity: info, message: m,\n  expr: 5}]\ntests: []\n",
        "3: x: expr: expected a condition",
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_bad_file_is_told_with_its_line_and_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Exit code 2, and nothing is run."""
    text, said = FAULTS[kind]
    path = written(folder, text)
    assert run(monkeypatch, path) == 2
    told = capsys.readouterr()
    assert f"{path}:{said}" in told.err
    assert told.out == ""


def test_bytes_that_are_no_text_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody gives the wrong file."""
    path = tmp_path / "a.test.yaml"
    path.write_bytes(b"\xff\xfe")
    assert run(monkeypatch, path) == 2
    assert f"{path}:1: document: no text in UTF-8" in capsys.readouterr().err


def test_a_rules_file_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its path is relative to the file with the tests."""
    path = written(tmp_path, "rules: none.yaml\ntests: []\n")
    assert run(monkeypatch, path) == 2
    assert str(tmp_path / "none.yaml") in capsys.readouterr().err
