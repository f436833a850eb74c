"""Fault schedules in small; `make schedules` is the long run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from connector.local.broker import LocalKafka
from tests.schedules.run import Run
from tests.schedules.schedule import WORKERS, schedule

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_statistics_and_alerts_are_exact_through_any_schedule(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Statistics equal the oracle's, alerts those of a replay of the logs, word for word."""
    caplog.set_level(logging.CRITICAL, logger="aiokafka")
    async with LocalKafka() as kafka:
        result = await Run(kafka, tmp_path, seed).go()
    assert result.faults == []
    assert result.alerts > 0


def test_schedules_are_as_their_seeds_say_and_have_everything() -> None:
    """The same seed gives the same acts; among some seeds there is every kind, and nobody stops who does not run."""
    made = [schedule(seed) for seed in range(20)]
    assert made == [schedule(seed) for seed in range(20)]
    assert {act.kind for acts in made for act in acts} == {"start", "term", "kill", "broker_kill", "rules"}
    for acts in made:
        running = {0}
        for act in acts:
            if act.kind == "start":
                assert act.worker not in running
                running.add(act.worker)
            elif act.kind in ("term", "kill"):
                running.remove(act.worker)
        assert running <= set(range(WORKERS))
