"""The stored alert against the same one folded again: operand by operand, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from streams.records import Scalar  # fields of a struct
from streams.texts import instant

if TYPE_CHECKING:
    from streams.explain.refold import Refolded
    from streams.records import Alert

NOT_COMPARED = ("schema", "alert_id", "fingerprint", "values", "silenced_by")
"""Fields that are the same by definition, shown by operand, or not made by folding."""

Verdict = Literal["same", "differs", "not again", "not refolded"]


class Operand(msgspec.Struct, frozen=True, kw_only=True):
    """One variable that the rule reads."""

    name: str
    stored: Scalar
    refolded: Scalar
    same: bool


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the alert that differs."""

    name: str
    stored: Any
    refolded: Any


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same, what differs, what is missing."""

    verdict: Verdict
    said: str
    """For people: what the verdict means."""
    operands: list[Operand]
    fields: list[Field]
    same_fields: list[str]
    """Names of the fields that are the same."""
    missing: list[str]
    """Sentences about what the refold had to do without."""
    orders: int = 0
    """Orders folded again."""


def not_refolded(missing: list[str]) -> Comparison:
    """Return the comparison where nothing could be folded."""
    return Comparison(
        verdict="not refolded",
        said="it cannot be folded again",
        operands=[],
        fields=[],
        same_fields=[],
        missing=missing,
    )


def compare(alert: Alert, refolded: Refolded, missing: list[str]) -> Comparison:
    """Compare the stored alert with what folding again came to; `missing` is what it had to do without."""
    again = refolded.alert
    operands = _operands(alert, again.values if again is not None else refolded.look.values if refolded.look else {})
    if again is None:
        return Comparison(
            verdict="not again",
            said=_why_not(alert, refolded),
            operands=operands,
            fields=[],
            same_fields=[],
            missing=missing,
            orders=refolded.orders,
        )
    fields, same = _fields(alert, again)
    alike = not fields and all(operand.same for operand in operands)
    return Comparison(
        verdict="same" if alike else "differs",
        said="the same alert comes of it, in every operand and field" if alike else "the same alert comes of it, but:",
        operands=operands,
        fields=fields,
        same_fields=same,
        missing=missing,
        orders=refolded.orders,
    )


def _operands(alert: Alert, again: dict[str, Scalar]) -> list[Operand]:
    return [
        Operand(name=name, stored=value, refolded=again.get(name), same=name in again and again[name] == value)
        for name, value in alert.values.items()
    ]


def _fields(alert: Alert, again: Alert) -> tuple[list[Field], list[str]]:
    differing, same = [], []
    for name in alert.__struct_fields__:
        if name in NOT_COMPARED:
            continue
        stored, refolded = getattr(alert, name), getattr(again, name)
        if stored == refolded:
            same.append(name)
        else:
            plain = msgspec.to_builtins((stored, refolded))
            differing.append(Field(name=name, stored=plain[0], refolded=plain[1]))
    return differing, same


def _why_not(alert: Alert, refolded: Refolded) -> str:
    """Return why the alert did not come again, as far as can be told."""
    if refolded.look is None:
        return "it does not come again: of its orders none came by"
    before = [other for other in refolded.others if other.as_of <= alert.as_of]
    if refolded.look.holds is False and alert.transition != "resolved":
        return "it does not come again: the condition is false at that moment"
    if not before:
        return "it does not come again, although nothing of the rule comes before it: see what is missing"
    last = before[-1]
    return (
        f"it does not come again: with the rule in force all along, its last alert before is {last.alert_id}"
        f" ({last.transition} at {instant(last.as_of)}), which goes on or holds this one back"
    )
