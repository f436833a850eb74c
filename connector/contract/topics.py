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
    append_time: bool = False
    """Whether the broker stamps records on arrival (LogAppendTime)."""
    internal: bool = False
    """Internal topics are no contract with consumers."""

    def config(self) -> dict[str, str]:
        """Return the broker's settings for this topic."""
        config: dict[str, str] = {"cleanup.policy": self.cleanup}
        if self.retention_ms is not None:
            config["retention.ms"] = str(self.retention_ms)
        if self.append_time:
            config["message.timestamp.type"] = "LogAppendTime"
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
CONNECTOR_TOPICS = (ORDERS, ORDERS_DEAD)


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
    if state.partitions != partitions:
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
