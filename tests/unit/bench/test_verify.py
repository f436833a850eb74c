"""Nobody is fast by doing less: what the verification of contestants notices."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams.rules.engine import Engine, load_rules
from tests.bench.prepared import backlog
from tests.bench.rivals.expected import Expected
from tests.bench.rivals.verify import compare, fired

START = 1_767_556_800.0
RULES = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional > 50.0, message: large, cooldown: 5m, max_age: 1h}
"""
Topic = list[tuple[bytes | None, bytes]]


@pytest.fixture(scope="module")
def rules() -> Engine:
    """Return rules that fire now and then."""
    return load_rules(RULES)


@pytest.fixture(scope="module")
def expected(rules: Engine) -> Expected:
    """Return where the fold of some orders ends."""
    return Expected.of(backlog(400, shape="equal", wallets=20, partitions=2, start=START, seconds=600.0), rules)


@pytest.fixture
def statistics(expected: Expected) -> dict[str, dict[str, Any]]:
    """Return the records of someone who did the whole job."""
    return {
        wallet: expected.statistics(wallet, at=expected.clocks[known.partition][-1], as_of_offset=known.offset)
        for wallet, known in expected.wallets.items()
    }


def topic(records: dict[str, dict[str, Any]]) -> Topic:
    """Return keys and values."""
    return [(wallet.encode(), orjson.dumps(record)) for wallet, record in records.items()]


def alerts(expected: Expected) -> Topic:
    """Return alerts as rivals write them."""
    return [(None, orjson.dumps({"rule": rule, "event_id": order})) for rule, order in sorted(expected.alerts)]


def test_the_whole_job_is_recognised(expected: Expected, statistics: dict[str, dict[str, Any]]) -> None:
    """Also when a tick published later at the same offset, and when an earlier record was something else."""
    wallet, known = next(iter(expected.wallets.items()))
    later = expected.statistics(wallet, at=expected.clocks[known.partition][-1] + 90_000, as_of_offset=known.offset)
    records = [(wallet.encode(), b'{"old": true}'), *topic(statistics), (wallet.encode(), orjson.dumps(later))]
    found = compare(expected, records, alerts(expected))
    assert (found.ok, found.differences, found.wallets, found.statistics) == (True, (), 20, 22)
    assert found.alerts == len(expected.alerts) > 0


def test_an_alert_told_twice_is_counted(expected: Expected, statistics: dict[str, dict[str, Any]]) -> None:
    """At least once is allowed."""
    found = compare(expected, topic(statistics), alerts(expected) * 2)
    assert (found.ok, found.repeated) == (True, len(expected.alerts))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"late": 7}, "late is 7, not 0"),
        ({"positions": []}, "positions is"),
        ({"as_of_offset": 0}, "its last order is at"),
        ({"as_of_offset": 10_000}, "as of offset 10000"),
        ({"as_of": 0}, "as of 0"),
    ],
)
def test_less_than_the_job_is_noticed(
    expected: Expected, statistics: dict[str, dict[str, Any]], change: dict[str, Any], said: str
) -> None:
    """By wallet and field."""
    wallet = max(expected.wallets, key=lambda each: expected.wallets[each].offset)
    statistics[wallet] |= change
    (difference,) = compare(expected, topic(statistics), alerts(expected)).differences
    assert difference.startswith(wallet)
    assert said in difference


def test_windows_that_stopped_to_decay_are_noticed(expected: Expected, statistics: dict[str, dict[str, Any]]) -> None:
    """Statistics as of the wallet's last order are right, and out of date a minute later."""
    wallet, known = min(expected.wallets.items(), key=lambda item: item[1].offset)
    at = known.state.clock
    statistics[wallet] = expected.statistics(wallet, at=at, as_of_offset=known.offset)
    (difference,) = compare(expected, topic(statistics), alerts(expected)).differences
    assert "went on to decay" in difference


def test_missing_and_invented_are_noticed(expected: Expected, statistics: dict[str, dict[str, Any]]) -> None:
    """Wallets and alerts alike."""
    gone = next(iter(statistics))
    statistics["0xabc"] = statistics.pop(gone)
    told = [*alerts(expected)[1:], (None, orjson.dumps({"rule": "large", "event_id": "none"}))]
    found = "\n".join(compare(expected, topic(statistics), told).differences)
    for said in (f"{gone}: no statistics", "0xabc: statistics of", "large did not fire at", "large fired at none"):
        assert said in found


def test_ours_and_theirs_are_read_alike() -> None:
    """Of ours, those that began to fire."""
    ours = {"transition": "firing", "rule": "r", "orders": [{"event_id": "a"}, {"event_id": "b"}]}
    assert list(fired(ours)) == list(fired({"rule": "r", "event_id": "a"})) == [("r", "a")]
    assert list(fired(ours | {"transition": "resolved"})) == []
