from __future__ import annotations

from tests.monitoring.expressions import filled, sides


def test_a_comparison_loses_its_number() -> None:
    """What is left is asked of a healthy system."""
    assert list(sides('up{job=~"a|b"} == 0')) == ['up{job=~"a|b"}']


def test_operators_in_quotes_and_brackets_are_none() -> None:
    """A matcher is no comparison, and what a function is given stays whole."""
    expr = 'sum by (a) (increase(x_total{b!="or > and"}[1h])) / sum(y_total) > 0.5'
    assert list(sides(expr)) == ['sum by (a) (increase(x_total{b!="or > and"}[1h])) / sum(y_total)']


def test_sides_are_taken_apart_to_the_last() -> None:
    """Brackets, matching words, `absent` and offsets included."""
    expr = "(abc > on () group_left () 0.9 * limit or abc > 1) and time() - start > 3600 or absent(other offset 15m)"
    assert list(sides(expr)) == ["abc", "0.9 * limit", "abc", "time() - start", "other offset 15m"]
    assert list(sides("abc unless def offset 1h")) == ["abc", "def"]


def test_variables_are_filled_in() -> None:
    """As Grafana does."""
    assert filled('rate(x{instance=~"$instance"}[$__rate_interval])') == 'rate(x{instance=~".*"}[20s])'
