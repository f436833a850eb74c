"""The streams half at the end of a run: statistics against the oracle, alerts against repetition."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.support.streams_run import StreamsRun

if TYPE_CHECKING:
    from tests.chaos.world import World

_REPEATING = {"broker_kill", "broker_stop", "slow_broker", "streams_exit"}
"""After these a worker may publish alerts again under the same id."""


async def wrong_statistics(made: World) -> list[str]:
    """Wait until the worker has caught up, and return a line for each statistic or alert that is wrong."""
    streams = StreamsRun(made.kafka.bootstrap, prefix="", rules=made.folder / "rules.yaml")
    try:
        await streams.settled()
    except TimeoutError:
        return [f"the worker did not catch up: {made.streams.log_tail()[-600:]}"]
    alerts = await streams.values(streams.topics.alerts)
    faults = await streams.wrong_statistics()
    ids: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for alert in alerts:
        ids[alert["fingerprint"], alert["orders"][0]["event_id"], alert["transition"]].append(alert["alert_id"])
    faults += [f"one order tipped one rule twice: alerts {found}" for found in ids.values() if len(set(found)) > 1]
    if not any(event.kind in _REPEATING for event in made.journal.events):
        faults += [f"alert {found[0]} came {len(found)} times" for found in ids.values() if len(found) > 1]
    return faults
