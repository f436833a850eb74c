"""The result of a test, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streams.durations import UNITS_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.ruletest.cases import Expected
    from streams.ruletest.matching import Came
    from streams.ruletest.run import Outcome


def report(outcome: Outcome, *, name: str) -> list[str]:
    """Return the lines about a test of the file `name`."""
    case = outcome.case
    if outcome.passed:
        return [f"PASS  {name}: {case.name}"]
    return [f"FAIL  {name}:{case.line}: {case.name}", *(f"    {line}" for line in _difference(outcome))]


def _difference(outcome: Outcome) -> Iterator[str]:
    match = outcome.match
    for differing in match.differing:
        yield f"differs     {_expected(differing.expected)}  (line {differing.expected.line})"
        for field, (wanted, came) in differing.fields.items():
            yield f"            {field}: expected {_shown(field, wanted)}, came {_shown(field, came)}"
        yield f"            why it came: {differing.came.reason}"
    for missing in match.missing:
        yield f"missing     {_expected(missing)}  (line {missing.line})"
    for came in match.unexpected:
        yield f"unexpected  {_came(came)}"
        yield f"            message: {came.message}"
        yield f"            why it came: {came.reason}"
    for reason, count in outcome.dead.items():
        yield f"unreadable  {count} orders: {reason}"


def _expected(alert: Expected) -> str:
    about = "" if alert.subject is None else f"  {alert.subject}"
    return f"at {duration(alert.at_ms):<8} {alert.rule} {alert.transition}{about}"


def _came(alert: Came) -> str:
    group = "".join(f"  {name}={value}" for name, value in alert.group.items())
    return f"at {duration(alert.at_ms):<8} {alert.rule} {alert.transition}  {alert.subject}{group}"


def _shown(field: str, value: Any) -> str:
    return duration(value) if field == "at" else str(value)


def duration(milliseconds: int) -> str:
    """Return a time as tests are written, such as `1m30s`."""
    left, parts = milliseconds, []
    for unit, size in UNITS_MS.items():
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
