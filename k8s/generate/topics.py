"""Topics of the contract as Strimzi's `KafkaTopic`s. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from connector.contract.topics import DEFAULT_PARTITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.contract.topics import TopicSpec

REPLICAS = 3
"""Of each partition; the overlay of one broker has 1."""
IN_SYNC = 2
"""Replicas that must have a record before it is acknowledged: one broker may be away, and none lies."""
CLUSTER = "kafka"
"""Name of the `Kafka` resource whose operator makes the topics."""


def manifests(specs: Iterable[TopicSpec]) -> str:
    """Return the documents, in the order of the specs."""
    return "".join(f"---\n# {spec.doc}\n{yaml.safe_dump(manifest(spec), sort_keys=False)}" for spec in specs)


def manifest(spec: TopicSpec) -> dict[str, Any]:
    """Return one topic. What the contract does not settle is settled here, so that no broker's default counts."""
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {
            "name": spec.name,
            "labels": {"strimzi.io/cluster": CLUSTER, "app.kubernetes.io/part-of": "walletstream"},
        },
        "spec": {
            "partitions": spec.partitions or DEFAULT_PARTITIONS,
            "replicas": REPLICAS,
            "config": spec.config() | {"min.insync.replicas": str(IN_SYNC)},
        },
    }
