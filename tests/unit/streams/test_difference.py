from __future__ import annotations

from typing import TYPE_CHECKING

from streams.difference import Versions
from streams.effects import Topics
from streams.replay import Replay
from streams.rules.engine import load_rules
from tests.support.logs import START, logged, order
from tests.support.replays import records_of

if TYPE_CHECKING:
    from streams.records import Alert

RULE = (
    "rules:\n  - {{id: large, scope: wallet, severity: info, message: m, cooldown: 0s, expr: {expr}, mode: {mode}}}\n"
)
SIZES = (1.0, 10.0, 3.0, 10.0, 5.0)


def told(expr: str, mode: str) -> list[Alert]:
    """Return what a version of the rule tells of orders of these sizes, one a second."""
    alerts: list[Alert] = []
    replay = Replay(load_rules(RULE.format(expr=expr, mode=mode)), Topics(""), alerts.append)
    replay.run(records_of(logged([order(number, at=number, usdc=usdc) for number, usdc in enumerate(SIZES)])))
    return alerts


def compared(*alerts: Alert, since: int | None = None) -> list[tuple[int, str]]:
    """Return second and kind of what began."""
    versions = Versions("large")
    for alert in alerts:
        versions.take(alert)
    return [(begin.at // 1_000 - START, begin.which) for begin in versions.difference(since).begins]


def test_alerts_are_the_same_by_subject_and_tipping_order() -> None:
    """
    Since the first alert in shadow; what the active version began before that is not held against it.

        second  0    1     2    3     4
        active  1.0  10.0       10.0         (outside 3 to 9)
        shadow                  10.0  5.0    (from the third second on above 4)
    """
    active = told("order.notional < 3.0 || order.notional > 9.0", "ACTIVE")
    shadow = [alert for alert in told("order.notional > 4.0", "SHADOW") if alert.as_of >= (START + 3) * 1_000]
    expected = [(3, "both"), (4, "only shadow")]
    assert compared(*active, *shadow, *shadow) == expected
    assert compared(*active, *shadow, since=0) == [(0, "only active"), (1, "only active"), *expected]


def test_only_the_newest_version_of_each_mode_counts() -> None:
    """Earlier versions have other hashes, and are no part of the trial."""
    earlier = told("order.notional > 0.0", "SHADOW")[:2]
    shadow = told("order.notional >= 5.0", "SHADOW")
    active = told("order.notional > 9.0", "ACTIVE")
    assert compared(*active, *earlier, *shadow) == [(1, "both"), (3, "both"), (4, "only shadow")]


def test_a_version_that_never_fired_has_no_hash() -> None:
    """The other's alerts are all its own."""
    versions = Versions("large")
    for alert in told("order.notional > 9.0", "SHADOW"):
        versions.take(alert)
    found = versions.difference()
    assert (found.active_hash, found.counts) == (None, (0, 0, 2))
    assert Versions("other").difference().since is None
