from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from tests.bench.goals import verdicts
from tests.bench.loads import Load


def runs(**figures: float) -> list[dict[str, Any]]:
    """Return one repetition."""
    return [dict(figures)]


@pytest.mark.parametrize(("p99", "met"), [(3.0, [True, True]), (3.1, [True, False])])
def test_a_goal_is_met_up_to_its_limit(p99: float, met: list[bool]) -> None:
    """The ratio counts, at the usual load only."""
    usual = {"floor": runs(p50_ms=1.0, p99_ms=2.0), "ours": runs(p50_ms=1.25, p99_ms=p99)}
    found = list(verdicts({"latency": {"1,000/s": usual, "100/s": usual}}))
    assert [verdict.met for verdict in found] == met
    assert found[0].found == "1.25 (1.25 - 1.25)x"


def test_of_what_was_not_measured_nothing_is_said() -> None:
    """A rival that is left out, and parts that were not run."""
    duel = {"shapes": {"equal": {"ours": runs(events_per_cpu_s=3.0), "kafka_streams": runs(events_per_cpu_s=2.0)}}}
    (found,) = verdicts({"duel": duel, "latency": {}})
    assert (found.goal, found.met) == ("orders per CPU-second to that of Kafka Streams, equal wallets", True)


def test_flat_is_judged_by_the_worst_row() -> None:
    """Not by the last."""
    rows = {name: runs(us_per_order=cost) for name, cost in (("1", 10.0), ("2", 13.0), ("3", 10.0))}
    met = [
        verdict.met for verdict in verdicts({"scale": {"wallets": rows, "windows": {"4": rows["1"], "8": rows["3"]}}})
    ]
    assert met == [False, True]


def test_ratios_are_paired_by_repetition() -> None:
    """A slow moment of the machine strikes both."""
    systems = {
        "floor": [*runs(cpu_us_per_event=10.0), *runs(cpu_us_per_event=20.0)],
        "ours": [*runs(cpu_us_per_event=10.0), *runs(cpu_us_per_event=20.0)],
    }
    (found,) = verdicts({"pump": {"5,000/s": systems}})
    assert found.found == "1.00 (1.00 - 1.00)x"


@pytest.mark.parametrize(
    ("load", "times"), [(Load(2.0), [0.0, 0.5, 1.0, 1.5]), (Load(50.0, burst=2), [0.0, 0.0, 0.04, 0.04])]
)
def test_a_load_says_when_orders_come(load: Load, times: list[float]) -> None:
    """Evenly, or so many at once."""
    assert list(islice(load.times(), 4)) == times
