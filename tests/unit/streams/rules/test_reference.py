from __future__ import annotations

from streams.rules.catalogue import CATALOGUE
from streams.rules.reference import reference


def test_the_reference_names_every_variable_with_its_meaning() -> None:
    """One row each, in the table of its scope."""
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(map(len, CATALOGUE.values()))
    assert "| `wallet.w1m.orders` | int | orders, last 1m | statistics |" in rows
    assert "| `order.notional` | double | what it cost or brought, USDC | this order |" in rows
