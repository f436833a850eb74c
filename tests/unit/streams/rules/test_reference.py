from __future__ import annotations

from importlib.resources import files

from streams.rules.catalogue import CATALOGUE
from streams.rules.reference import reference


def test_the_reference_names_every_variable_with_its_meaning() -> None:
    """One row each, in the table of its scope."""
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(map(len, CATALOGUE.values()))
    assert "| `wallet.w1m.orders` | int | orders, last 1m | statistics |" in rows
    assert "| `order.notional` | double | what it cost or brought, USDC | order |" in rows


def test_the_page_on_rules_ends_with_the_vocabulary() -> None:
    """A variable that was added or changed is on the page: `python -m streams rules vocabulary`."""
    page = files("streams.rules").joinpath("README.md").read_text(encoding="utf-8")
    assert page.partition("rules vocabulary` -->\n")[2].strip() == reference().strip()
