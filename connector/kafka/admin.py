"""Creates the contract's topics, or verifies those that exist. Shell over `missing_topics`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from connector.contract.topics import TopicSpec, TopicState, missing_topics
from connector.kafka.errors import ClusterUnreachable, TopicMissing, TopicsNotReady
from connector.kafka.reach import unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Sequence

_RETRY_S = 0.05
_TIMEOUT_S = 30.0


async def ensure_topics(
    bootstrap: str, specs: Iterable[TopicSpec], *, partitions: int, replication: int = 1, **security: Any
) -> None:
    """
    Create the topics that are missing, verify the others, and wait until every partition has a leader.

    `partitions` is the number of those that have none of their own.
    Safe to call by several processes at once and again at any time. `security` goes to aiokafka
    (`security_protocol`, `ssl_context`, `sasl_...`). Topics are listed, never asked for by name:
    a cluster with automatic creation would make them with its own settings.

    Raises:
        ClusterUnreachable: no broker answers at `bootstrap` or lets us in, or none does any more.
        TopicMismatch: a topic exists with other settings than the contract's.
        TopicsNotReady: the cluster refused a topic, or no leader was elected within 30 s.
    """
    wanted = list(specs)
    async with admin_client(bootstrap, security) as admin:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                while not await _settled(admin, wanted, partitions, replication):  # noqa: ASYNC110 (a cluster has no event)
                    await asyncio.sleep(_RETRY_S)
        except TimeoutError as error:
            names = ", ".join(spec.name for spec in wanted)
            raise TopicsNotReady(
                f"no leader for every partition of {names} after {_TIMEOUT_S:.0f} s: are the brokers of {bootstrap} up?"
            ) from error
        except KafkaError as error:
            raise ClusterUnreachable(
                f"the Kafka at {bootstrap} stopped answering: {type(error).__name__} {error}"
            ) from error


async def partitions_of(bootstrap: str, topic: str, **security: Any) -> list[int]:
    """
    Return the numbers of a topic's partitions.

    Raises:
        ClusterUnreachable: no broker answers at `bootstrap`.
        TopicMissing: it does not exist; asking does not create it.
    """
    async with admin_client(bootstrap, security) as admin:
        found = await _partitions(admin, {topic})
    if topic not in found:
        raise TopicMissing(f"topic {topic} does not exist at {bootstrap}: check TOPIC_PREFIX, or start the connector")
    return list(range(len(found[topic])))


@asynccontextmanager
async def admin_client(bootstrap: str, security: dict[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client; `ClusterUnreachable` when no broker answers or lets us in."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    try:
        await admin.start()
    except KafkaConnectionError as error:
        await admin.close()
        raise await unreachable(bootstrap, security) from error
    try:
        yield admin
    finally:
        await admin.close()


async def _settled(admin: AIOKafkaAdminClient, wanted: Sequence[TopicSpec], partitions: int, replication: int) -> bool:
    """Create what is missing; return whether everything exists, is as it should be, and has leaders."""
    found = await _partitions(admin, {spec.name for spec in wanted})
    configs = await _configs(admin, found)
    existing = {name: TopicState(partitions=len(found[name]), config=configs[name]) for name in configs}
    missing = missing_topics(wanted, existing, partitions=partitions)
    if missing:
        await _create(admin, missing, partitions, replication)
        return False
    return all(leader >= 0 for leaders in found.values() for leader in leaders)


async def _partitions(admin: AIOKafkaAdminClient, names: Collection[str]) -> dict[str, list[int]]:
    """Return the leader of each partition (-1: none) for those of the topics that exist."""
    return {
        topic["topic"]: [partition["leader"] for partition in topic["partitions"]]
        for topic in await admin.describe_topics()
        if topic["topic"] in names and topic["error_code"] == 0
    }


async def _configs(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    configs = {}
    for response in await admin.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            if code == UnknownTopicOrPartitionError.errno:
                continue  # made a moment ago, not known to this broker yet
            if code:
                raise TopicsNotReady(f"topic {name} cannot be described: {for_code(code).__name__} {message or ''}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


async def _create(admin: AIOKafkaAdminClient, missing: Iterable[TopicSpec], partitions: int, replication: int) -> None:
    topics = [
        NewTopic(spec.name, spec.partitions or partitions, replication, topic_configs=spec.config()) for spec in missing
    ]
    response = await admin.create_topics(topics)
    for name, code, *message in response.topic_errors:
        if code and code != TopicAlreadyExistsError.errno:  # another creator was faster: it is verified next
            reason = " ".join(text for text in message if text)
            raise TopicsNotReady(f"topic {name} cannot be created: {for_code(code).__name__} {reason}")
