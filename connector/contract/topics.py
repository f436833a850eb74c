"""Topics as data, and the pure comparison of what exists with what the contract says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from connector.contract.errors import TopicMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_MS = 86_400_000
DEFAULT_PARTITIONS = 8
"""Of every topic keyed by wallet or market; fixed for a topic version, since keys and state depend on it."""


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One topic. `name` ends in the version; a change that breaks readers is a new name."""

    name: str
    key: str
    """What the key is, in words for the documentation: `wallet`, `condition_id`, ..."""
    owner: Literal["connector", "streams"]
    doc: str
    cleanup: Literal["delete", "compact"] = "delete"
    retention_ms: int | None = None
    """Milliseconds; None for compacted topics, which keep the last value of each key."""
    segment_bytes: int | None = None
    """Bytes of a segment; compaction leaves the last one alone, so small ones keep a busy topic short to read."""
    append_time: bool = False
    """Whether the broker stamps records on arrival (LogAppendTime)."""
    min_compaction_lag_ms: int | None = None
    """Milliseconds for which compaction leaves a record alone, so that a reader still finds what came before."""
    partitions: int | None = None
    """Of a topic that has so many whatever the deployment; None: as many as the deployment's topics."""
    internal: bool = False
    """Internal topics are no contract with consumers."""

    def config(self) -> dict[str, str]:
        """Return the broker's settings for this topic."""
        config: dict[str, str] = {"cleanup.policy": self.cleanup}
        if self.retention_ms is not None:
            config["retention.ms"] = str(self.retention_ms)
        if self.segment_bytes is not None:
            config["segment.bytes"] = str(self.segment_bytes)
        if self.append_time:
            config["message.timestamp.type"] = "LogAppendTime"
        if self.min_compaction_lag_ms is not None:
            config["min.compaction.lag.ms"] = str(self.min_compaction_lag_ms)
        return config

    def prefixed(self, prefix: str) -> TopicSpec:
        """Return the same topic under a name of this deployment."""
        return msgspec.structs.replace(self, name=prefix + self.name)


class TopicState(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker says of an existing topic."""

    partitions: int
    config: Mapping[str, str]


ORDERS = TopicSpec(
    name="orders.v1",
    key="wallet",
    owner="connector",
    doc="Executed orders of the watched wallets, each once, in order of arrival per wallet.",
    retention_ms=35 * DAY_MS,
    append_time=True,
)
ORDERS_DEAD = TopicSpec(
    name="orders-dead.v1",
    key="wallet, or none where it is not known",
    owner="connector",
    doc="What could not be processed, with the reason and the bytes.",
    retention_ms=30 * DAY_MS,
)
WATCHLIST = TopicSpec(
    name="watchlist.v1",
    key="wallet",
    owner="connector",
    doc="The wallets to watch. Anybody may write it; its partitions are what replicas of the connector share out.",
    cleanup="compact",
)
COVERAGE = TopicSpec(
    name="coverage.v1",
    key="wallet",
    owner="connector",
    doc="Per watched wallet, up to when its orders are known to be complete, and who watches it.",
    cleanup="compact",
    segment_bytes=16 * 1024 * 1024,
)
GAPS = TopicSpec(
    name="gaps.v1",
    key="wallet",
    owner="connector",
    doc="Intervals in which orders may be missing: opened, filling, closed or unrecoverable.",
    retention_ms=90 * DAY_MS,
)
CONNECTOR_TOPICS = (ORDERS, ORDERS_DEAD, WATCHLIST, COVERAGE, GAPS)


def missing_topics(
    specs: Iterable[TopicSpec], existing: Mapping[str, TopicState], *, partitions: int
) -> list[TopicSpec]:
    """
    Return the topics to create.

    Raises:
        TopicMismatch: topics exist with other settings; every difference is named with its remedy.
    """
    missing: list[TopicSpec] = []
    faults: list[str] = []
    for spec in specs:
        state = existing.get(spec.name)
        if state is None:
            missing.append(spec)
        else:
            faults += _differences(spec, state, partitions)
    if faults:
        raise TopicMismatch("; ".join(faults))
    return missing


def _differences(spec: TopicSpec, state: TopicState, partitions: int) -> list[str]:
    faults = []
    if spec.partitions is not None and state.partitions != spec.partitions:
        faults.append(
            f"topic {spec.name} has {state.partitions} partitions, the contract says {spec.partitions} whatever"
            " PARTITIONS is: delete the topic, it is created anew, and write its records again"
        )
    elif spec.partitions is None and state.partitions != partitions:
        faults.append(
            f"topic {spec.name} has {state.partitions} partitions, the contract says {partitions}: set"
            f" PARTITIONS={state.partitions}, or migrate to a new topic version (partitions are never added,"
            " keys and state depend on their number)"
        )
    for name, wanted in spec.config().items():
        found = state.config.get(name)
        if found != wanted:
            faults.append(
                f"topic {spec.name} has {name}={found}, the contract says {wanted}: change it with"
                f" kafka-configs --alter --entity-type topics --entity-name {spec.name}"
                f" --add-config {name}={wanted}"
            )
    return faults
