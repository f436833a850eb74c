"""Rule files for the benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

_SPANS = ("1m", "5m", "1h", "24h")


def every_order(path: Path) -> Path:
    """Write one rule that every order tips; return the path."""
    return _write(path, [_rule("every-order", "order.notional >= 0.0", cooldown="0s")])


def fifty(path: Path) -> Path:
    """Write 50 rules of three clauses each, over all windows, of which few orders tip one; return the path."""
    return many(path, concern=50, others=0)


def many(path: Path, *, concern: int, others: int) -> Path:
    """Write rules of three clauses of which so many concern every order, and others only a market nobody trades."""
    written = [_rule(f"rule-{number}", _three_clauses(number % 50)) for number in range(concern)]
    written += [
        _rule(f"other-{number}", _three_clauses(number % 50)) | {"markets": [f"no-such-market-{number}"]}
        for number in range(others)
    ]
    return _write(path, written)


def _three_clauses(number: int) -> str:
    span = _SPANS[number % 4]
    volume, orders, size = 1_000.0 * (number + 1), 20 + 10 * number, 300.0 + 40.0 * number
    return f"wallet.w{span}.volume > {volume} && wallet.w{span}.orders > {orders} && order.notional > {size}"


def _rule(name: str, expr: str, *, cooldown: str = "5m") -> dict[str, Any]:
    return {
        "id": name,
        "scope": "wallet",
        "severity": "info",
        "expr": expr,
        "message": "{order.side} for {order.notional:.2f} USDC",
        "cooldown": cooldown,
        "max_age": "1h",
    }


def _write(path: Path, rules: list[dict[str, Any]]) -> Path:
    path.write_text(yaml.safe_dump({"rules": rules}, sort_keys=False, width=200))
    return path
