"""Reads the catalogue's gauges when somebody scrapes. Shell over `streams.metrics`."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from streams.metrics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.metrics import Metrics
    from streams.rules.engine import Engine
    from streams.shards.owner import Owner
    from streams.shards.standing import Standing, Working
    from streams.watch import Watch


class Gauges:
    """Brings the gauges up to date; between scrapes nothing has to be, and a shard that is gone leaves no series."""

    def __init__(self, metrics: Metrics, owner: Owner, engine: Engine, watch: Watch) -> None:
        self._metrics = metrics
        self._owner = owner
        self._engine = engine
        self._watch = watch
        self._evaluations = 0

    def refresh(self) -> None:
        """Set the gauges to what is so now."""
        self._rules()
        shards = self._owner.standings()
        self._by_topic(shards)
        for metric in (self._metrics.lag, self._metrics.remembered_offset, self._metrics.remember_age):
            metric.clear()
        for shard in shards:
            if shard.working is not None:
                self._by_shard(shard, shard.working)

    def _rules(self) -> None:
        counts = Counter(rule.mode for rule in self._engine.rules)
        for mode in ("ACTIVE", "SHADOW", "PAUSED"):
            self._metrics.rules.labels(mode.lower()).set(counts[mode])
        made, self._evaluations = self._engine.evaluations - self._evaluations, self._engine.evaluations
        self._metrics.rule_evaluations.inc(made)

    def _by_topic(self, shards: Iterable[Standing]) -> None:
        for topic in TOPICS:
            mine = [shard.working for shard in shards if shard.label == topic]
            working = [each for each in mine if each is not None]
            self._metrics.shards.labels(topic, "working").set(len(working))
            self._metrics.shards.labels(topic, "restoring").set(len(mine) - len(working))
            self._metrics.subjects.labels(topic).set(sum(each.subjects for each in working))
            self._metrics.state_bytes.labels(topic).set(sum(each.state_bytes for each in working))

    def _by_shard(self, shard: Standing, working: Working) -> None:
        labels = (shard.label, str(shard.partition))
        lag = working.lag((self._watch.ends or {}).get((shard.topic, shard.partition)))
        if lag is not None:
            self._metrics.lag.labels(*labels).set(lag)
        self._metrics.remembered_offset.labels(*labels).set(working.remembered_offset)
        self._metrics.remember_age.labels(*labels).set(time.monotonic() - working.remembered_at)
