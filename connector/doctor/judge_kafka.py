"""What was seen of topics, rights and the group, judged. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from connector.contract.errors import TopicMismatch
from connector.contract.topics import TopicState, missing_topics
from connector.doctor.checks import Check, counted, fail, ok, skip, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.contract.topics import TopicSpec


class Seen(msgspec.Struct, frozen=True):
    """What a broker says of one topic."""

    leaders: tuple[int, ...]
    """Of each partition; -1: none."""
    replicas: int
    """Of the partition that has fewest."""
    config: Mapping[str, str] | None
    """None: we may not see it."""


class Rights(msgspec.Struct, frozen=True):
    """Error names that harmless requests were answered with; an empty text where they were allowed."""

    read: Mapping[str, str]
    """By topic."""
    write: Mapping[str, str]
    group: str
    """Of taking part in the group."""


class Group(msgspec.Struct, frozen=True):
    """What the coordinator says of the group of connectors."""

    state: str
    members: tuple[str, ...]
    """Client ids: the connectors' names."""


def advertised(check: Check) -> Check:
    """Judge the way to a broker where it says that it is: it is the brokers who say so, not KAFKA."""
    if check.status != "fail":
        return check
    why = "the brokers advertise this address: have advertised.listeners name one that works from here, or"
    return msgspec.structs.replace(check, remedy=f"{why} {check.remedy}")


def topic(spec: TopicSpec, seen: Seen, *, partitions: int, replication: int, brokers: int) -> Check:
    """Judge one topic that exists."""
    name = f"topic {spec.name}"
    leaderless = [number for number, leader in enumerate(seen.leaders) if leader < 0]
    if leaderless:
        return fail(name, f"partitions {leaderless} have no leader", "bring the brokers back that hold them")
    wanted = spec.partitions or partitions
    config = spec.config() if seen.config is None else seen.config
    try:
        missing_topics(
            [spec], {spec.name: TopicState(partitions=len(seen.leaders), config=config)}, partitions=partitions
        )
    except TopicMismatch as error:
        said, _, remedy = str(error).partition(": ")
        return fail(name, said.removeprefix(f"{name} "), remedy)
    if seen.config is None:
        return warn(
            name, f"{counted(wanted, 'partition')}; its settings may not be seen", _allow("DescribeConfigs", spec.name)
        )
    told = f"{counted(wanted, 'partition')}, {counted(seen.replicas, 'replica')}, as the contract says"
    if seen.replicas < min(replication, brokers):
        return warn(name, f"{told}; REPLICATION is {replication}", "add replicas with kafka-reassign-partitions")
    if seen.replicas == 1 and brokers > 1:
        return warn(name, f"{told}; a broker that is lost takes it along", "set REPLICATION=3 before topics are made")
    return ok(name, told)


def creatable(spec: TopicSpec, error: str, *, partitions: int, replication: int) -> Check:
    """Judge a topic that does not exist; `error` names why we could not create it, empty where we could."""
    name = f"topic {spec.name}"
    if not error:
        return ok(name, "does not exist; the connector makes it when it starts, as this user may")
    command = (
        f"kafka-topics --create --topic {spec.name} --partitions {spec.partitions or partitions}"
        f" --replication-factor {replication}"
        + "".join(f" --config {key}={value}" for key, value in spec.config().items())
    )
    if "Authorization" in error:
        return fail(name, "does not exist, or may not be seen, and this user may not create it", f"{command}")
    hint = "set REPLICATION to at most the number of brokers, or " if "ReplicationFactor" in error else ""
    return fail(name, f"does not exist and cannot be created: {error}", f"{hint}create it: {command}")


def rights(found: Rights, group_name: str) -> list[Check]:
    """Judge what this user may do with the topics and the group."""
    checks = [_right("read", "Read", found.read), _right("write", "Write", found.write)]
    if found.group:
        remedy = f"allow Read and Describe on group {group_name} (kafka-acls --add --allow-principal ... --group)"
        checks.append(fail("may join", f"group {group_name}: {found.group}", remedy))
    else:
        checks.append(ok("may join", f"group {group_name}"))
    return checks


def _right(verb: str, operation: str, found: Mapping[str, str]) -> Check:
    name, denied = f"may {verb}", {topic: error for topic, error in found.items() if error}
    if not found:
        return skip(name, "no topic exists yet")
    if denied:
        told = ", ".join(f"{topic} ({error})" for topic, error in denied.items())
        return fail(name, f"not: {told}", _allow(operation, *denied))
    return ok(name, counted(len(found), "topic"))


def _allow(operation: str, *topics: str) -> str:
    named = "".join(f" --topic {each}" for each in topics)
    return f"kafka-acls --add --allow-principal User:... --operation {operation}{named}"


def group(found: Group, *, keys: int, replica_set: bool) -> list[Check]:
    """
    Judge who runs.

    Args:
        found: The group as its coordinator sees it.
        keys: All keys of API_KEY, whoever's they are.
        replica_set: Whether REPLICA says which of them is whose.
    """
    if not found.members:
        return [ok("connectors", "none runs at the moment")]
    names = ", ".join(sorted(found.members))
    told = f"{len(found.members)} in the group ({found.state}): {names}"
    checks = [
        ok("connectors", told)
        if found.state == "Stable"
        else warn("connectors", told, "it is sharing out the wallets anew; if that lasts, look at the members' logs")
    ]
    return checks + _sharing(found.members, keys, replica_set=replica_set)


def _sharing(members: Sequence[str], keys: int, *, replica_set: bool) -> list[Check]:
    """Warn of connectors that must be using the same key, as far as that shows from here."""
    remedy = "give each a key of its own: all of them in API_KEY, REPLICAS their number, and each its REPLICA"
    if len(members) > keys:
        seen = f"{len(members)} connectors share {counted(keys, 'key')}: they get each other's quota"
        return [warn("keys shared", seen, remedy)]
    if len(members) > 1 and not replica_set:
        seen = f"{len(members)} connectors run, and by these settings each of them uses every key of API_KEY"
        return [warn("keys shared", seen, remedy)]
    twice = sorted({name for name in members if members.count(name) > 1})
    if twice:
        return [warn("names shared", f"several connectors are called {', '.join(twice)}", "give each its REPLICA_NAME")]
    return []
