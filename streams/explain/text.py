"""An alert and its comparison, for people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from streams.texts import instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from streams.explain.comparison import Comparison
    from streams.records import Alert, Clause

_WINDOW = re.compile(r"\.w(\d+[mhd])\.", re.ASCII)


def stored(alert: Alert) -> list[str]:
    """Return what the alert itself says."""
    ends = "goes on" if alert.ends_at is None else instant(alert.ends_at)
    group = "".join(f", {name} {value}" for name, value in alert.group.items())
    coverage = "complete" if alert.coverage == "complete" else f"orders were missing, gap {alert.gap_id}"
    lines = [
        f"alert     {alert.alert_id}  {alert.transition}, {alert.severity}, {alert.mode}",
        f"message   {alert.message}",
        f"rule      {alert.rule}, hash {alert.rule_hash}",
        f"about     {alert.scope} {alert.subject}{group}",
        f"as of     {instant(alert.as_of)}; began {instant(alert.starts_at)}, ends: {ends}",
        f"order     {alert.order_age_s:g} s old when it came, source {alert.source}; coverage: {coverage}",
    ]
    if alert.episode != alert.alert_id:
        lines.append(f"episode   {alert.episode}")
    if alert.labels:
        lines.append("labels    " + ", ".join(f"{name}={value}" for name, value in alert.labels.items()))
    if alert.silenced_by:
        lines.append(f"silenced  by {', '.join(alert.silenced_by)}")
    if windows := dict.fromkeys(match[1] for name in alert.values if (match := _WINDOW.search(name))):
        lines.append(f"windows   {', '.join(windows)}, up to its time")
    lines += ["", f"because   {alert.reason}"]
    lines += [f"          {line}" for clause in alert.clauses for line in _clause(clause, 0)]
    lines += ["", "orders    the first one tipped it"]
    lines += [
        f"          {order.topic} partition {order.partition} offset {order.offset}  {order.event_id}"
        for order in alert.orders
    ]
    return lines


def _clause(clause: Clause, depth: int) -> Iterator[str]:
    operands = ", ".join(f"{name} = {value}" for name, value in clause.operands.items())
    joined = f"  joined by {clause.operator}" if clause.operator else f"  ({operands})" if operands else ""
    yield f"{'  ' * depth}{_truth(clause.value):<5} {clause.text}{joined}"
    for part in clause.parts:
        yield from _clause(part, depth + 1)


def _truth(value: object) -> str:
    return {True: "true", False: "false", None: "-"}[value] if isinstance(value, bool | None) else str(value)


def refolded(comparison: Comparison) -> list[str]:
    """Return what folding again came to."""
    lines = ["", f"refolded  {comparison.orders:,} orders: {comparison.said}"]
    lines += [f"missing   {said}" for said in comparison.missing]
    if comparison.operands:
        rows = [
            (each.name, _plain(each.stored), _plain(each.refolded), "same" if each.same else "DIFFERS")
            for each in comparison.operands
        ]
        lines += ["", *_aligned([("operand", "stored", "refolded", ""), *rows])]
    if comparison.fields:
        lines.append("")
        for field in comparison.fields:
            lines += [
                f"differs   {field.name}: stored    {field.stored}",
                f"{'':<12}{'':<{len(field.name)}}refolded  {field.refolded}",
            ]
    if comparison.same_fields:
        lines += ["", f"the same  {', '.join(comparison.same_fields)}"]
    return lines


def _plain(value: object) -> str:
    return "-" if value is None else str(value)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "          " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
