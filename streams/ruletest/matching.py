"""Which alert is the one that was expected, and how the others differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from streams.records import Alert
    from streams.ruletest.cases import Expected


class Came(NamedTuple):
    """An alert that came, in the words of the test."""

    at_ms: int
    rule: str
    transition: str
    subject: str
    group: dict[str, str]
    message: str
    severity: str
    labels: dict[str, str]
    values: dict[str, Any]
    reason: str


class Differing(NamedTuple):
    """An alert that came instead of the one expected, and the fields in which it differs: expected, then what came."""

    expected: Expected
    came: Came
    fields: dict[str, tuple[Any, Any]]


class Match(NamedTuple):
    """Expectations against what came."""

    differing: list[Differing]
    missing: list[Expected]
    unexpected: list[Came]

    @property
    def perfect(self) -> bool:
        """Whether they are the same."""
        return not (self.differing or self.missing or self.unexpected)


def match(expected: Sequence[Expected], alerts: Iterable[Alert], epoch_ms: int, shown: Callable[[str], str]) -> Match:
    """Find for each expectation its alert; where none fits, the nearest of the same rule and transition is shown."""
    came = [_came(alert, epoch_ms, shown) for alert in alerts]
    left = []
    for each in sorted(expected, key=lambda each: -each.details):
        found = next((alert for alert in came if not _differences(each, alert, shown)), None)
        if found is None:
            left.append(each)
        else:
            came.remove(found)
    differing, missing = [], []
    for each in sorted(left, key=_at):
        nearest = _nearest(each, came, shown)
        if nearest is None:
            missing.append(each)
        else:
            came.remove(nearest)
            differing.append(Differing(each, nearest, _differences(each, nearest, shown)))
    return Match(differing, missing, sorted(came, key=_at))


def _came(alert: Alert, epoch_ms: int, shown: Callable[[str], str]) -> Came:
    return Came(
        at_ms=alert.as_of - epoch_ms,
        rule=alert.rule,
        transition=alert.transition,
        subject=shown(alert.subject),
        group={name: shown(value) for name, value in alert.group.items()},
        message=alert.message,
        severity=alert.severity,
        labels=alert.labels,
        values=alert.values,
        reason=alert.reason,
    )


def _differences(expected: Expected, came: Came, shown: Callable[[str], str]) -> dict[str, tuple[Any, Any]]:
    """Return the fields that are expected to be otherwise."""
    wanted = {
        "at": (expected.at_ms, came.at_ms),
        "rule": (expected.rule, came.rule),
        "transition": (expected.transition, came.transition),
        "subject": (None if expected.subject is None else shown(expected.subject), came.subject),
        "group": (expected.group, came.group),
        "message": (expected.message, came.message),
        "severity": (expected.severity, came.severity),
        "labels": (expected.labels, came.labels),
        "values": (expected.values, {name: came.values.get(name) for name in expected.values or ()}),
    }
    return {name: pair for name, pair in wanted.items() if pair[0] is not None and pair[0] != pair[1]}


def _nearest(expected: Expected, came: Sequence[Came], shown: Callable[[str], str]) -> Came | None:
    """Return what probably stands for it: the same rule and transition, the fewest differences, the nearest time."""
    alike = [alert for alert in came if (alert.rule, alert.transition) == (expected.rule, expected.transition)]

    def distance(alert: Came) -> tuple[int, int]:
        return len(_differences(expected, alert, shown)), abs(alert.at_ms - expected.at_ms)

    return min(alike, key=distance, default=None)


def _at(each: Expected | Came) -> int:
    return each.at_ms
