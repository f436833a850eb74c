"""The rules of a deployment for people and for programs. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.table import Table

from streams.rules.topic import SHADOW, as_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.rules.registry import Known, Registry
    from streams.rules.rule import Selectors
    from streams.rules.silence import Silence

_SHOWN: Final = 2
"""Values of a selector that are shown; of more, how many."""


def tables(registry: Registry, *, now_ms: int) -> Iterable[Table]:
    """Yield the tables of rules, of silences where there are any, and of what was refused."""
    rules = _table("rule", "scope", "mode", "severity", "hash", "source", "since", "orders")
    for known in registry.rules():
        rules.add_row(*_rule(known))
    yield rules
    silences = [each for each in registry.silences() if each.until_ms > now_ms]
    if silences:
        yield _silences(silences)
    if registry.refused():
        refused = _table("refused", "why")
        for each in registry.refused():
            refused.add_row(_plain(each.name), _plain(each.why))
        yield refused


def as_json(registry: Registry) -> bytes:
    """Return the same for programs: `rules`, `silences` (those over included) and `refused`."""
    shown: dict[str, Any] = {
        "rules": [
            {
                "key": known.name,
                "hash": known.active.rule.hash,
                "mode": known.active.rule.mode,
                "source": known.source,
                "since_ms": known.since,
                "rule": as_document(known.active.rule),
            }
            for known in registry.rules()
        ],
        "silences": registry.silences(),
        "refused": [each._asdict() for each in registry.refused()],
    }
    return msgspec.json.format(msgspec.json.encode(shown), indent=2)


def moment(at_ms: int) -> str:
    """Return unix milliseconds as a date and time in UTC."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


def _rule(known: Known) -> Sequence[str]:
    rule = known.active.rule
    since = "" if known.since is None else moment(known.since)
    name = known.name.replace(SHADOW, " (shadow)")
    return name, rule.scope, rule.mode, rule.severity, rule.hash, known.source, since, selected(rule.select)


def selected(select: Selectors) -> str:
    """Return in brief which orders a rule is about."""
    kinds = (("wallet", select.wallets), ("label", select.wallet_labels), ("market", select.markets))
    return "; ".join(_values(kind, values) for kind, values in kinds if values) or "all"


def _values(kind: str, values: Sequence[str]) -> str:
    if len(values) > _SHOWN:
        return f"{len(values)} {kind}s"
    return f"{kind} {' or '.join(map(_plain, values))}"


def _silences(silences: Iterable[Silence]) -> Table:
    table = _table("silence", "until", "alerts with", "by", "comment")
    for each in sorted(silences, key=lambda silence: silence.until_ms):
        matchers = " ".join(f"{name}={value}" for name, value in each.matchers.items())
        table.add_row(*map(_plain, (each.id, moment(each.until_ms), matchers, each.created_by, each.comment)))
    return table


def _plain(text: str) -> str:
    """Return what a terminal only shows, and `rich` takes for no markup."""
    return "".join(each if each.isprintable() else " " for each in text).replace("[", r"\[")
