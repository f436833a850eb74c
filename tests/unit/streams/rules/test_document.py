from __future__ import annotations

import pytest

from streams.rules.catalogue import CATALOGUE
from streams.rules.document import read_document
from streams.rules.engine import load_rules
from streams.rules.errors import InvalidRules
from streams.rules.template import Template

GOOD = """\
rules:
  - id: large
    scope: wallet
    severity: warning
    expr: order.notional > 100.0
    message: "{order.notional:.2f}"
    cooldown: 90s
    max_age: 2m
    labels: {team: desk, level: "3"}
  - {id: plain, scope: market, severity: info, expr: 'true', message: hello}
"""


def test_a_document_is_read_with_its_defaults() -> None:
    """Durations become milliseconds; what is not written has the documented default."""
    written, faults = read_document(GOOD)
    assert faults == []
    large, plain = (each.rule for each in written)
    assert (large.cooldown_ms, large.max_age_ms, large.labels) == (90_000, 120_000, {"team": "desk", "level": "3"})
    assert (plain.cooldown_ms, plain.max_age_ms, plain.labels) == (300_000, 60_000, {})
    assert written[0].lines["expr"] == 5


def test_the_hash_follows_every_field() -> None:
    """A rule that says or does something else is another rule; formatting of the document is not in it."""
    base = read_document(GOOD)[0][0].rule
    changes = {
        "warning": "critical",
        "100.0": "100.5",
        "90s": "91s",
        "2m": "3m",
        "desk": "risk",
        ":.2f": ":.3f",
        "large": "big",
        "    labels:": "    for: 1s\n    labels:",
        "    severity": "    until: wallet.w1m.orders < 1\n    severity",
        "    expr": "    wallets: ['0x6031b6eed1c97e853c6e0f03ad3ce3529351f96d']\n    expr",
    }
    hashes = {read_document(GOOD.replace(old, new))[0][0].rule.hash for old, new in changes.items()}
    assert len(hashes | {base.hash}) == len(changes) + 1
    assert read_document(GOOD.replace("90s", "90000ms"))[0][0].rule.hash == base.hash
    shadow = read_document(GOOD.replace("    labels", "    mode: SHADOW\n    labels"))[0][0].rule
    assert (shadow.hash == base.hash, shadow.number == base.number) == (True, False)


@pytest.mark.parametrize(
    ("change", "line", "text"),
    [
        (("scope: wallet", "scope: walet"), 3, "large: scope: expected wallet | market, got 'walet'"),
        (("warning", "loud"), 4, "large: severity: expected info | warning | critical, got 'loud'"),
        (("90s", "90 s"), 7, "large: cooldown: expected a whole number and a unit"),
        (("cooldown", "cooldwn"), 7, "large: unknown key cooldwn: did you mean cooldown?"),
        (("    message", "    # message"), 2, "large: message is missing"),
        (("    cooldown: 90s", "    severity: info"), 7, "large: severity is given twice, first on line 4"),
        (("id: plain", "id: large"), 10, "large: id is taken by the rule on line 2"),
        (("id: large", "id: Large Order"), 2, "id: expected lower-case letters"),
        (("{team: desk", "[team, desk"), 9, "document: no YAML"),
        (("{team: desk, level: '3'}", "3"), 9, "large: labels"),
        (("team: desk", "team: "), 9, "large: labels: expected a text"),
        (("order.notional >", "order.notionl >"), 5, "did you mean order.notional"),
        (("order.notional > 100.0", "order.notional"), 5, "large: expr: expected a condition, true or false"),
        (
            ("{order.notional:.2f}", "{order.notinal}"),
            6,
            "unknown placeholder {order.notinal}: did you mean order.notional",
        ),
        (("{order.notional:.2f}", "{order.side:.2f}"), 6, "format of {order.side:.2f} does not suit a string"),
        (("{order.notional:.2f}", "{order"), 6, "message: expected '}'"),
        (("rules:", "rule:"), 1, "document: expected one key, rules"),
    ],
)
def test_a_fault_names_rule_line_and_remedy(change: tuple[str, str], line: int, text: str) -> None:
    """One fault, where it is."""
    document = GOOD.replace('"3"', "'3'").replace(*change)
    with pytest.raises(InvalidRules) as invalid:
        load_rules(document, name="my.yaml")
    assert [fault.line for fault in invalid.value.faults] == [line]
    assert f"my.yaml:{line}: " in str(invalid.value)
    assert text in str(invalid.value)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ("expr: wallet.w1m.orders", "expr: expected a condition, true or false, got int"),
        ("expr: 'true', until: order.price > 0.5", "until: order.price is about the order at hand, and time has none"),
        ("expr: 'true', until: wallet.w1m.orders", "until: expected a condition, true or false, got int"),
        ("expr: 'true', escalate: wallet.w1m.volume", "escalate: expected a whole number, got double"),
        (
            "expr: order.price > 0.5, escalate: wallet.w1m.orders",
            "escalate: the alert is over at the order that tips it, and nothing is left to escalate",
        ),
        ("expr: order.side == 'buy'", "expr: order.side is never 'buy': BUY or SELL"),
        ('expr: \'!(order.price > 0.5 && order.side in ["BUY", "sell"])\'', "expr: order.side is never 'sell'"),
        ("expr: '\"0xAB\" != order.wallet'", "expr: order.wallet is never '0xAB': address, lower case"),
        ("expr: order.price > 0.5, for: 5s", "for: order.price is about the order at hand, which is true for no time"),
        (
            "expr: wallet.w1m.orders > 5, for: 5s, message: '{order.side}'",
            "message: {order.side} is about an order, and with `for` the alert fires between orders",
        ),
        ("expr: wallet.w1m.orders > 5, group_by: [market.id]", "group_by: only a rule about the order at hand"),
        ("expr: order.price > 0.5, group_by: [market.slg]", "unknown variable market.slg: did you mean market.slug"),
        ("expr: order.price > 0.5, group_by: [order.price]", "group_by: order.price is a double, only texts group"),
        ("expr: 'true', wallets: [vitalik.eth]", "wallets: 'vitalik.eth' is a name"),
        ("expr: 'true', wallet_labels: whale", "wallet_labels: expected a list of texts"),
        ("expr: 'true', mode: LOUD", "mode: expected ACTIVE | SHADOW | PAUSED, got 'LOUD'"),
        ("expr: 'true', for: 5", "for: expected a whole number and a unit"),
        ("expr: 'true', message: '{order.timestamp:c}'", "expected a short one such as ,.2f"),
        ("expr: 'true', message: '{order.wallet:3000000}'", "expected a short one such as ,.2f"),
        ("expr: 'true', message: '{order.side!r}'", "{order.side!r}: write {order.side}"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: str, text: str) -> None:
    """At load, with the reason."""
    message = "" if "message" in fields else "message: m, "
    with pytest.raises(InvalidRules) as invalid:
        load_rules(f"rules: [{{id: r, scope: wallet, severity: info, {message}{fields}}}]")
    assert text in str(invalid.value)


@pytest.mark.parametrize(
    "fields",
    [
        "expr: order.price > 0.5, escalate: wallet.w1m.orders, keep_firing_for: 1m",
        "expr: wallet.w1m.orders > 5, escalate: wallet.w1m.orders",
        'expr: \'order.side in ["BUY"] && order.wallet != "0xab" && order.outcome == "Yes"\'',
    ],
)
def test_what_fits_is_taken(fields: str) -> None:
    """Neither a spelling nor an escalation is refused that can come true."""
    assert load_rules(f"rules: [{{id: r, scope: wallet, severity: info, message: m, {fields}}}]").rules


def test_selectors_may_not_multiply_without_end() -> None:
    """Each combination is an entry of the index."""
    many = ", ".join(f"'{number}'" for number in range(101))
    with pytest.raises(InvalidRules, match="more than 10,000 combinations"):
        load_rules(
            f"rules: [{{id: r, scope: wallet, severity: info, message: m, expr: 'true',"
            f" wallet_labels: [{many}], markets: [{many}]}}]"
        )


def test_all_faults_come_at_once() -> None:
    """A user corrects the document once; the caret of a later line of an expression is in its own line."""
    document = """\
rules:
  - id: a
    scope: wallet
    severity: nope
    expr: order.notional > 1.0
    message: x
  - id: b
    scope: wallet
    severity: info
    expr: |
      order.notional > 1.0
      && order.prise < 0.5
    message: "{order.prise}"
  - just text
"""
    with pytest.raises(InvalidRules) as invalid:
        load_rules(document)
    assert [fault.line for fault in invalid.value.faults] == [4, 12, 13, 14]


@pytest.mark.parametrize("document", ["", "[]", "rules: 3", "rules: []\nmore: []", "- rules"])
def test_what_is_no_rules_document_says_so(document: str) -> None:
    """Whatever else is in the file."""
    with pytest.raises(InvalidRules, match="expected one key, rules"):
        load_rules(document)


def test_no_rules_are_a_document_too() -> None:
    """Statistics without alerts."""
    assert load_rules("rules: []").rules == ()


def test_every_variable_can_be_used_in_a_condition_and_a_message() -> None:
    """The catalogue is what CEL knows, and each variable reads a value of its type."""
    for scope, variables in CATALOGUE.items():
        zero = {"int": "0", "double": "0.0", "string": "''", "bool": "true"}
        expr = " && ".join(f"{name} != {zero[variable.type]}" for name, variable in variables.items())
        message = " ".join(f"{{{name}}}" for name in variables)
        load_rules(f'rules: [{{id: all, scope: {scope}, severity: info, expr: "{expr}", message: "{message}"}}]')
        assert all(variable.doc and variable.name == name for name, variable in variables.items())


def test_a_message_is_filled_in() -> None:
    """With Python's formats; braces are written twice."""
    template = Template("{{{order.side}}} {order.notional:,.2f}, {wallet.w1m.orders:03d}", CATALOGUE["wallet"])
    values: dict[str, int | float | str] = {"order.side": "BUY", "order.notional": 1234.5, "wallet.w1m.orders": 7}
    assert template.render(values) == "{BUY} 1,234.50, 007"
    assert {variable.name for variable in template.variables} == set(values)


def test_a_hostile_title_is_only_text() -> None:
    """What strangers write into a title is not read as a placeholder."""
    template = Template("{market.title}", CATALOGUE["wallet"])
    assert template.render({"market.title": "{order.notional} {0.__class__}"}) == "{order.notional} {0.__class__}"


def test_a_message_is_no_longer_than_people_read() -> None:
    """Strangers write titles."""
    template = Template("{market.title}", CATALOGUE["wallet"])
    assert template.render({"market.title": "x" * 10_000}) == "x" * 3_999 + "…"
