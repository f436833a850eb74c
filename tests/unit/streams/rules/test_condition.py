from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.catalogue import CATALOGUE
from streams.rules.condition import ClauseTree, Condition, Refused
from streams.rules.translate import int64

INTS = ("wallet.w1m.orders", "wallet.w1h.buys", "order.timestamp")
DOUBLES = ("order.notional", "order.price", "wallet.w24h.volume")
STRINGS = ("order.side", "market.slug")

# Expressions by type: deep enough to mix every construct that is translated, and some that are not.
_int_leaf = st.one_of(st.sampled_from(INTS), st.integers(-3, 3).map(str), st.sampled_from(("9223372036854775807",)))
_double_leaf = st.one_of(st.sampled_from(DOUBLES), st.sampled_from(("0.0", "1.5", "-2.25", "1e308", "100.0")))
_string_leaf = st.one_of(st.sampled_from(STRINGS), st.sampled_from(("''", '"BUY"', "'a\\'{b}'", "'é'")))
_comparison = st.sampled_from(("<", "<=", ">", ">=", "==", "!="))


def _binary(operators: tuple[str, ...], inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda a, o, b: f"({a} {o} {b})", inner, st.sampled_from(operators), inner)


def _negated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return inner.map(lambda each: f"-({each})")


ints = st.recursive(
    _int_leaf, lambda inner: st.one_of(_binary(("+", "-", "*", "/", "%"), inner), _negated(inner)), max_leaves=3
)
doubles = st.recursive(
    st.one_of(_double_leaf, ints.map(lambda each: f"double({each})")),
    lambda inner: st.one_of(_binary(("+", "-", "*", "/"), inner), _negated(inner)),
    max_leaves=4,
)
strings = _string_leaf


def _compared(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda a, o, b: f"{a} {o} {b}", values, _comparison, values)


_atoms = st.one_of(
    _compared(ints),
    _compared(doubles),
    _compared(strings),
    st.builds(lambda s: f"{s} in ['BUY', 'a']", strings),
    st.builds(lambda i: f"{i} in [1, 2, -3]", ints),
    st.builds(lambda d: f"{d} in [1.5, 0.0]", doubles),
    st.builds(
        lambda s, f, t: f"{s}.{f}({t})", strings, st.sampled_from(("contains", "startsWith", "endsWith")), strings
    ),
    st.builds(lambda s, i: f"size({s}) > {i}", strings, ints),
    st.builds(lambda s: f"{s}.matches('^B')", strings),
)
bools = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        _binary(("&&", "||"), inner),
        inner.map(lambda each: f"!({each})"),
        st.builds(lambda a, b, c: f"({a} ? {b} : {c})", inner, inner, inner),
    ),
    max_leaves=5,
)
values = st.fixed_dictionaries(
    {
        **dict.fromkeys(INTS, st.one_of(st.integers(-3, 3), st.sampled_from((2**62, -(2**63))))),
        **dict.fromkeys(DOUBLES, st.one_of(st.sampled_from((0.0, -0.0, 1.5, 1e308)), st.floats(-10, 10))),
        **dict.fromkeys(STRINGS, st.sampled_from(("", "BUY", "a'{b}", "é", "😀"))),
    }
)


def outcome(evaluate: object, facts: dict[str, int | float | str]) -> object:
    """Return the value, or the word error."""
    assert callable(evaluate)
    try:
        return evaluate(facts)
    except ArithmeticError:
        return "error"


@given(text=bools, facts=values)
@settings(max_examples=200, deadline=None)
def test_the_translation_is_cel(text: str, facts: dict[str, int | float | str]) -> None:
    """Whatever is translated gives CEL's own answer, errors and absorbed errors included."""
    condition = Condition(text, "wallet")
    assert outcome(condition.evaluate, facts) == outcome(condition.evaluate_cel, facts)


def test_what_rules_mostly_are_is_translated() -> None:
    """The differential test is not vacuous: comparisons of variables are evaluated by Python."""
    condition = Condition("order.notional >= 100.0 && order.side in ['BUY'] || !(wallet.w1m.orders > 3)", "wallet")
    source = condition.source({variable.name: variable.name for variable in condition.variables})
    assert source is not None
    assert condition.source({}) is None


@pytest.mark.parametrize(
    "text",
    [
        "wallet.w1m.orders / 2 == 1",
        "order.side.matches('^B')",
        "[1, 2].exists(n, n == wallet.w1m.orders)",
        "order.notional in [1.5]",
    ],
)
def test_what_could_differ_is_left_to_cel(text: str) -> None:
    """Integer division, regular expressions, macros and lists of doubles have other rules in Python."""
    condition = Condition(text, "wallet")
    assert condition.source({name: name for name in CATALOGUE["wallet"]}) is None
    assert condition.evaluate({variable.name: _sample(variable.type) for variable in condition.variables}) is False


def _sample(kind: str) -> int | float | str:
    samples: dict[str, int | float | str] = {"int": 7, "double": 7.0, "string": "SELL"}
    return samples[kind]


@pytest.mark.parametrize(
    ("text", "orders", "expected"),
    [
        ("wallet.w1m.orders > -3", 0, True),
        ("wallet.w1m.orders in [-3, 2]", -3, True),
        ("wallet.w1m.orders == 9223372036854775807", 2**63 - 1, True),
        ("wallet.w1m.orders == 0", 0, True),
        ("true && !false", 0, True),
        ("wallet.w1m.orders <= 3", 3, True),
        ("wallet.w1m.orders < 3", 3, False),
    ],
)
def test_constants_and_limits(text: str, orders: int, expected: object) -> None:
    """Constants are read as written: negative, zero, largest, boolean."""
    condition = Condition(text, "wallet")
    assert condition.source({"wallet.w1m.orders": "v0"}) is not None
    assert condition.evaluate({"wallet.w1m.orders": orders}) is expected


def test_errors_are_absorbed_as_cel_absorbs_them() -> None:
    """An error beside a true || is none; alone it is one."""
    zero = {"wallet.w1m.orders": 0}
    assert Condition("1 / wallet.w1m.orders > 0 || wallet.w1m.orders == 0", "wallet").evaluate(zero) is True
    with pytest.raises(ArithmeticError, match="divide by zero"):
        Condition("1 / wallet.w1m.orders > 0", "wallet").evaluate(zero)


def test_doubles_divide_by_zero_without_error() -> None:
    """CEL's doubles are IEEE: Python's exception is not ours."""
    assert Condition("1.0 / order.notional > 1e300", "wallet").evaluate({"order.notional": 0.0}) is True


def test_int64_ends_where_cels_integers_end() -> None:
    """Python's integers do not overflow, CEL's do."""
    assert int64(2**63 - 1) == 2**63 - 1
    for beyond in (2**63, -(2**63) - 1):
        with pytest.raises(OverflowError):
            int64(beyond)


def test_a_condition_knows_its_variables_and_whether_it_speaks_of_the_order() -> None:
    """Both follow from the checked tree, not from words in strings."""
    statistics = Condition("wallet.w1m.orders > 3 || wallet.address == 'order.side'", "wallet")
    assert {variable.name for variable in statistics.variables} == {"wallet.w1m.orders", "wallet.address"}
    assert not statistics.of_order
    assert Condition("wallet.w1m.orders > 3 && order.price < 0.5", "wallet").of_order


@pytest.mark.parametrize(
    ("text", "line", "parts"),
    [
        ("nope > 1", 0, ["undeclared reference to 'nope'", "    nope > 1\n    ^"]),
        ("wallet.w1m.order > 1", 0, ["did you mean wallet.w1m.orders"]),
        ("order.notional > 100", 0, ["write 100.0 for 100", "                   ^"]),
        ("order.notional >", 0, ["Syntax error"]),
        (
            "order.side == 'BUY' &&\norder.prise < 0.5",
            1,
            ["did you mean order.price", "    order.prise < 0.5\n         ^"],
        ),
        ("nope > 1 || neither", 0, ["'nope'", "'neither'"]),
    ],
)
def test_refusals_show_every_error_with_a_caret_and_a_remedy(text: str, line: int, parts: list[str]) -> None:
    """A user sees where it is wrong and what was meant."""
    with pytest.raises(Refused) as refused:
        Condition(text, "wallet")
    assert refused.value.line == line
    for part in parts:
        assert part in str(refused.value)


Shape = str | tuple[str, list[Any]]


def shape(tree: ClauseTree) -> Shape:
    """Return a tree as texts, and what joins them."""
    return tree.condition.text if tree.operator is None else (tree.operator, [shape(part) for part in tree.parts])


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("order.price < 0.5", "order.price < 0.5"),
        ("order.price < 0.5&&order.side == 'a && b'", ("&&", ["order.price < 0.5", "order.side == 'a && b'"])),
        (
            '(order.price < 0.5 && order.price > 0.1) && order.side == "&& \'"',
            ("&&", [("&&", ["order.price < 0.5", "order.price > 0.1"]), 'order.side == "&& \'"']),
        ),
        (
            "order.price < 0.5 && order.price > 0.1 || true",
            ("||", [("&&", ["order.price < 0.5", "order.price > 0.1"]), "true"]),
        ),
        ("((order.price < 0.5 || true))", ("||", ["order.price < 0.5", "true"])),
        ("(order.price < 0.5) || (true)", ("||", ["(order.price < 0.5)", "(true)"])),
        ("order.price < 0.5 && true ? true : false", "order.price < 0.5 && true ? true : false"),
        ("order.price < 0.5 // && not a clause\n && true", ("&&", ["order.price < 0.5 // && not a clause", "true"])),
    ],
)
def test_clauses_are_the_parts_that_a_condition_is_joined_of(text: str, clauses: Shape) -> None:
    """They are split where the grammar splits them, and kept as written."""
    assert shape(Condition(text, "wallet").tree_of_clauses()) == clauses


def joined(tree: ClauseTree, facts: dict[str, int | float | str]) -> list[Any]:
    """Return the values of all parts, those of the inner ones put together again."""
    if tree.operator is None:
        return [outcome(tree.condition.evaluate, facts)]
    values = [joined(part, facts) for part in tree.parts]
    if any("error" in each for each in values):
        return ["error"]
    return [(all if tree.operator == "&&" else any)(each[0] for each in values)]


@given(text=bools, facts=values)
@settings(max_examples=100, deadline=None)
def test_a_condition_is_what_its_clauses_make_it(text: str, facts: dict[str, int | float | str]) -> None:
    """Where no part errs, the parts put together have the value of the condition."""
    condition = Condition(text, "wallet")
    (result,) = joined(condition.tree_of_clauses(), facts)
    if result != "error":
        assert result == condition.evaluate(facts)


def test_not_a_number_compares_as_in_cel() -> None:
    """NaN equals nothing, itself included."""
    condition = Condition("order.notional == order.notional", "wallet")
    assert condition.evaluate({"order.notional": math.nan}) is False


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("order.notional < 1e999", {"order.notional": 1.0}, True),
        ("order.notional / order.price > 1e9", {"order.notional": 1.0, "order.price": 0.0}, True),
        ("order.notional / order.price > 1e9", {"order.notional": -1.0, "order.price": 0.0}, False),
        (
            "order.notional / order.price == order.notional / order.price",
            {"order.notional": 0.0, "order.price": 0.0},
            False,
        ),
        ('["btc", "eth"].exists(p, market.slug.startsWith(p))', {"market.slug": "btc-1"}, True),
        ('order . outcome == "Yes"', {"order.outcome": "Yes"}, True),
    ],
)
def test_what_python_does_otherwise_is_as_in_cel(text: str, facts: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table
    """Infinite numbers, division by zero, macros: the same value, and the variables are known."""
    condition = Condition(text, "wallet")
    assert {variable.name for variable in condition.variables} == set(facts)
    assert condition.evaluate(facts) is condition.evaluate_cel(facts) is expected


def test_numbers_are_no_truths() -> None:
    """In Python 1 is True."""
    condition = Condition("wallet.samples in [dyn(true), 5]", "wallet")
    assert condition.evaluate({"wallet.samples": 1}) is condition.evaluate_cel({"wallet.samples": 1}) is False
