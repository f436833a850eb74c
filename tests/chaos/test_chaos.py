"""
The ledger test in small, and the proof that it finds what it looks for.

`make chaos` is the real one; here a fixed seed and a minute have to do.
"""

from __future__ import annotations

import logging

import msgspec
import pytest

from tests.chaos.options import Options
from tests.chaos.run import run

SMALL = Options(
    seed=3,
    replicas=2,
    mean_s=1.2,
    rate=30.0,
    wallets=40,
    listed=25,
    static=3,
    partitions=4,
    rest_lag=0.5,
    settle=2.0,
    verify=5.0,
    warm_up_s=1.0,
    patience_s=60.0,
)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="aiokafka")


def say(_: str) -> None:
    """Print nothing."""


async def test_nothing_is_lost_or_doubled_through_faults_of_many_kinds() -> None:
    """Sockets, REST, killed replicas, churn: 0 lost, no duplicate beyond the promise, statistics exact."""
    kinds = ("drop", "lose_event", "duplicate", "garble", "no_indexes", "rest_status", "replica_kill", "watch_churn")
    verdict, evidence = await run(msgspec.structs.replace(SMALL, faults=16, kinds=kinds), say)
    assert verdict.faults == []
    assert set(kinds) <= set(evidence.struck)
    assert verdict.owed > 200
    assert verdict.recovered > 0


@pytest.mark.slow
async def test_without_repair_the_same_ledger_finds_losses() -> None:
    """REST answers nothing: what disconnects swallowed is missing, and told order by order."""
    options = msgspec.structs.replace(
        SMALL, faults=6, kinds=("drop", "lose_event"), naive="repair", patience_s=3.0, streams=False
    )
    verdict, _ = await run(options, say)
    assert verdict.lost
    assert "in REST from" in verdict.lost[0]
    assert verdict.open_gaps
    assert not verdict.duplicates


@pytest.mark.slow
async def test_without_dedupe_the_same_ledger_finds_duplicates() -> None:
    """Nothing is remembered: what is delivered twice is published twice, by one owner."""
    options = msgspec.structs.replace(
        SMALL, faults=6, kinds=("duplicate",), naive="dedupe", patience_s=3.0, streams=False
    )
    verdict, _ = await run(options, say)
    assert verdict.duplicates
    assert any("both by replica-" in line for line in verdict.duplicates)
