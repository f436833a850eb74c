"""Topics are created or verified on a real broker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient

from connector.contract.errors import TopicMismatch
from connector.contract.topics import CONNECTOR_TOPICS, TopicSpec
from connector.kafka.admin import ensure_topics
from connector.kafka.errors import ClusterUnreachable, TopicsNotReady
from connector.local.ports import port_of, reserve

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka


def specs(prefix: str) -> list[TopicSpec]:
    """Return the connector's topics under this test's prefix."""
    return [spec.prefixed(prefix) for spec in CONNECTOR_TOPICS]


async def leaders(bootstrap: str, topic: str) -> list[int | None]:
    """Return the leader of each partition."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        partitions = sorted(client.cluster.partitions_for_topic(topic) or ())
        return [client.cluster.leader_for_partition(TopicPartition(topic, number)) for number in partitions]
    finally:
        await client.close()


async def test_missing_topics_are_created_and_ready(kafka: LocalKafka, topic_prefix: str) -> None:
    """After the call every partition has a leader, and a second call finds nothing to do."""
    wanted = specs(topic_prefix)
    await ensure_topics(kafka.bootstrap, wanted, partitions=3)
    for spec in wanted:
        assert await leaders(kafka.bootstrap, spec.name) == [1, 1, 1]
    await ensure_topics(kafka.bootstrap, wanted, partitions=3)


async def test_a_topic_with_its_own_number_of_partitions_has_that(kafka: LocalKafka, topic_prefix: str) -> None:
    """Beside others with as many as the deployment says, and the broker keeps its compaction lag."""
    one = TopicSpec(
        name=f"{topic_prefix}one.v1", key="none", owner="streams", doc="", partitions=1, min_compaction_lag_ms=60_000
    )
    wanted = [one, specs(topic_prefix)[0]]
    await ensure_topics(kafka.bootstrap, wanted, partitions=3)
    assert [await leaders(kafka.bootstrap, spec.name) for spec in wanted] == [[1], [1, 1, 1]]
    await ensure_topics(kafka.bootstrap, wanted, partitions=3)


async def test_several_may_create_at_once(kafka: LocalKafka, topic_prefix: str) -> None:
    """Processes that start together all end with the same topics, none with an error."""
    wanted = specs(topic_prefix)
    await asyncio.gather(*(ensure_topics(kafka.bootstrap, wanted, partitions=2) for _ in range(6)))
    assert await leaders(kafka.bootstrap, wanted[0].name) == [1, 1]


async def test_another_partition_count_is_refused(kafka: LocalKafka, topic_prefix: str) -> None:
    """What exists with another number of partitions is an error with its remedy, and stays as it is."""
    await ensure_topics(kafka.bootstrap, specs(topic_prefix), partitions=2)
    with pytest.raises(TopicMismatch, match=r"has 2 partitions, the contract says 3.*PARTITIONS=2"):
        await ensure_topics(kafka.bootstrap, specs(topic_prefix), partitions=3)


async def test_another_policy_is_refused(kafka: LocalKafka, topic_prefix: str) -> None:
    """What exists with another clean-up policy is an error that names the setting."""
    spec = TopicSpec(name=f"{topic_prefix}x.v1", key="wallet", owner="connector", doc="", cleanup="compact")
    await ensure_topics(kafka.bootstrap, [spec], partitions=1)
    changed = TopicSpec(name=spec.name, key="wallet", owner="connector", doc="", cleanup="delete")
    with pytest.raises(TopicMismatch, match=r"cleanup.policy=compact.*--add-config cleanup.policy=delete"):
        await ensure_topics(kafka.bootstrap, [changed], partitions=1)


async def test_what_the_cluster_refuses_is_named(kafka: LocalKafka, topic_prefix: str) -> None:
    """More replicas than brokers is the cluster's refusal, passed on with the topic's name."""
    with pytest.raises(TopicsNotReady, match=rf"{topic_prefix}orders.v1 cannot be created: InvalidReplicationFactor"):
        await ensure_topics(kafka.bootstrap, specs(topic_prefix), partitions=1, replication=3)


async def test_no_broker_is_an_error_with_the_address() -> None:
    """An address where nothing listens is named."""
    with reserve() as holder:
        address = f"127.0.0.1:{port_of(holder)}"
        with pytest.raises(ClusterUnreachable, match=rf"no Kafka answers at {address}"):
            await ensure_topics(address, [], partitions=1)
