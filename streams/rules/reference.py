"""The vocabulary of rules as tables, made from the catalogue; the page on rules ends with them."""

from __future__ import annotations

from streams.rules.catalogue import CATALOGUE


def reference() -> str:
    """Return Markdown: a table of variables per scope."""
    lines = []
    for scope, variables in CATALOGUE.items():
        lines += [f"### Scope {scope}", "", "| variable | type | meaning | about |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {variable.type} | {variable.doc} | {'order' if variable.of_order else 'statistics'} |"
            for name, variable in variables.items()
        ]
        lines.append("")
    return "\n".join(lines)
