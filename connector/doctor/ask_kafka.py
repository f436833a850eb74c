"""
Asks a cluster for brokers, topics, rights and the group, and changes nothing. Shell.

Whether a right is there shows in how a request is refused that can do nothing: a fetch, a write or a commit of a
partition that no topic has. Brokers look at rights first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest

from connector.doctor.judge_kafka import Group, Rights, Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aiokafka.admin import AIOKafkaAdminClient

    from connector.contract.topics import TopicSpec

_NO_PARTITION = 2**31 - 1
_NO_TOPIC = "walletstream-doctor"
_TIMEOUT_MS = 5_000
_COORDINATOR_S = 10.0
_RETRY_S = 0.1
_STARTING = {
    each.errno for each in (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, GroupLoadInProgressError)
}


def brokers(admin: AIOKafkaAdminClient) -> list[tuple[str, int]]:
    """Return where the brokers say that they are, as the first one told; none of them needs to be reached for that."""
    found = admin._client.cluster.brokers()  # noqa: SLF001 # to ask again is to go where they say
    return sorted((broker.host, broker.port) for broker in found)


async def topics(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, Seen]:
    """Return what there is of these topics, and may be seen."""
    wanted = set(names)
    found = {
        each["topic"]: each["partitions"]
        for each in await admin.describe_topics()
        if each["topic"] in wanted and each["error_code"] == 0
    }
    configs = await _configs(admin, found)
    return {
        name: Seen(
            leaders=tuple(each["leader"] for each in sorted(partitions, key=lambda each: each["partition"])),
            replicas=min((len(each["replicas"]) for each in partitions), default=0),
            config=configs.get(name),
        )
        for name, partitions in found.items()
    }


async def _configs(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers = await admin.describe_configs(resources) if resources else []
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if code == 0
    }


async def creatable(
    admin: AIOKafkaAdminClient, missing: Sequence[TopicSpec], *, partitions: int, replication: int
) -> dict[str, str]:
    """Return why each topic could not be created; an empty text where it could."""
    wanted = [
        NewTopic(spec.name, spec.partitions or partitions, replication, topic_configs=spec.config()) for spec in missing
    ]
    if not wanted:
        return {}
    answer = await admin.create_topics(wanted, timeout_ms=_TIMEOUT_MS, validate_only=True)
    return {name: _named(code) for name, code, *_ in answer.topic_errors}


async def rights(admin: AIOKafkaAdminClient, *, read: Sequence[str], written: Sequence[str], group: str) -> Rights:
    """Return what we may not do with topics that exist, and with the group."""
    fetch = FetchRequest(0, 1, 1, 0, [(name, [(_NO_PARTITION, 0, 1)]) for name in read])
    produce = ProduceRequest(None, 1, _TIMEOUT_MS, [(name, [(_NO_PARTITION, b"")]) for name in written])
    return Rights(
        read=await _refused(admin, fetch) if read else {},
        write=await _refused(admin, produce) if written else {},
        group=await _commit(admin, group),
    )


async def _refused(admin: AIOKafkaAdminClient, request: FetchRequest | ProduceRequest) -> dict[str, str]:
    """Return by topic why it is refused; an empty text where only the partition is unknown."""
    answer = await admin._send_request(request)  # noqa: SLF001 # no client of the library sends what cannot arrive
    return {
        name: "" if code == UnknownTopicOrPartitionError.errno else _named(code)
        for name, ((_, code, *_),) in answer.topics
    }


async def _commit(admin: AIOKafkaAdminClient, group: str) -> str:
    """Commit an offset of a partition that is not there, and look for what is said of the group."""
    request = OffsetCommitRequest(group, -1, "", -1, [(_NO_TOPIC, [(_NO_PARTITION, 0, "")])])
    try:
        answer = await admin._send_request(request, await _coordinator(admin, group))  # noqa: SLF001
    except (KafkaError, TimeoutError) as error:
        return type(error).__name__
    code = answer.topics[0][1][0][1]
    return _named(code) if code == GroupAuthorizationFailedError.errno else ""


async def group(admin: AIOKafkaAdminClient, name: str) -> Group | str:
    """Return the group, or the name of the error."""
    try:
        async with asyncio.timeout(_COORDINATOR_S):
            while True:
                coordinator = await _coordinator(admin, name)
                (answer,) = await admin.describe_consumer_groups([name], group_coordinator_id=coordinator)
                ((code, _, state, _, _, members, *_),) = answer.groups
                if code not in _STARTING:
                    return _named(code) or Group(state, tuple(member[1] for member in members))
                await asyncio.sleep(_RETRY_S)
    except (KafkaError, TimeoutError) as error:
        return type(error).__name__


async def _coordinator(admin: AIOKafkaAdminClient, group: str) -> int:
    """Return who coordinates a group; a cluster that never had one needs a moment."""
    async with asyncio.timeout(_COORDINATOR_S):
        while True:
            try:
                found: int = await admin.find_coordinator(group)
            except GroupCoordinatorNotAvailableError:
                await asyncio.sleep(_RETRY_S)
            else:
                return found


def _named(code: int) -> str:
    return "" if code == 0 else for_code(code).__name__
