from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from connector.contract.topics import ORDERS, WATCHLIST
from connector.doctor import judge_kafka as judge
from connector.doctor.judge_kafka import Group, Rights, Seen

if TYPE_CHECKING:
    from connector.doctor.checks import Check

GOOD = Seen(leaders=(1, 2, 3, 1), replicas=3, config=ORDERS.config())


def judged(seen: Seen, *, replication: int = 3, brokers: int = 3) -> Check:
    """Return what is said of orders.v1."""
    return judge.topic(ORDERS, seen, partitions=4, replication=replication, brokers=brokers)


def test_a_topic_as_the_contract_says() -> None:
    """Its figures are told."""
    assert judged(GOOD).seen == "4 partitions, 3 replicas, as the contract says"
    assert judged(GOOD).status == "ok"


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"leaders": (1, -1, 3, -1)}, "fail", "partitions [1, 3] have no leader"),
        ({"leaders": (1, 2)}, "fail", "PARTITIONS=2"),
        ({"config": ORDERS.config() | {"retention.ms": "60000"}}, "fail", "kafka-configs --alter"),
        ({"config": None}, "warn", "DescribeConfigs"),
        ({"replicas": 1}, "warn", "REPLICATION is 3"),
    ],
)
def test_a_topic_that_is_otherwise(change: dict[str, object], status: str, said: str) -> None:
    """Each difference has its remedy, and what cannot be seen is no difference."""
    check = judged(msgspec.structs.replace(GOOD, **change))
    assert check.status == status
    assert said in f"{check.seen} {check.remedy}"
    assert not check.seen.startswith("topic ")


def test_one_replica_among_several_brokers_is_warned_of() -> None:
    """With one broker there is no choice."""
    alone = msgspec.structs.replace(GOOD, replicas=1)
    assert judged(alone, replication=1).status == "warn"
    assert judged(alone, replication=1, brokers=1).status == "ok"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        ("", "ok", "the connector makes it"),
        ("TopicAuthorizationFailedError", "fail", "--config cleanup.policy=compact"),
        ("ClusterAuthorizationFailedError", "fail", "kafka-topics --create --topic watchlist.v1 --partitions 4"),
        ("InvalidReplicationFactorError", "fail", "set REPLICATION"),
        ("PolicyViolationError", "fail", "PolicyViolationError"),
    ],
)
def test_a_topic_that_is_missing(error: str, status: str, said: str) -> None:
    """It is no fault where the connector may create it; else the command is told."""
    check = judge.creatable(WATCHLIST, error, partitions=4, replication=3)
    assert check.status == status
    assert said in f"{check.seen} {check.remedy}"


def test_rights_that_are_missing_are_named_with_the_command() -> None:
    """By topic and operation; the group too."""
    denied = "TopicAuthorizationFailedError"
    reading, writing, joining = judge.rights(
        Rights({"a": "", "b": denied}, {"a": "", "b": ""}, "GroupAuthorizationFailedError"), "connectors"
    )
    assert (reading.status, writing.status, joining.status) == ("fail", "ok", "fail")
    assert reading.remedy.endswith("--operation Read --topic b")
    assert "connectors" in joining.remedy


def test_rights_to_no_topic_are_not_judged() -> None:
    """There is nothing to ask for yet."""
    assert [check.status for check in judge.rights(Rights({}, {}, ""), "connectors")] == ["skip", "skip", "ok"]


@pytest.mark.parametrize(
    ("members", "keys", "replica_set", "warned"),
    [
        ((), 1, False, []),
        (("c0",), 1, False, []),
        (("c0", "c1"), 2, True, []),
        (("c0", "c1"), 1, True, ["keys shared"]),
        (("c0", "c1"), 2, False, ["keys shared"]),
        (("c0", "c0"), 2, True, ["names shared"]),
    ],
)
def test_connectors_that_share_a_key_are_noticed(
    members: tuple[str, ...], keys: int, *, replica_set: bool, warned: list[str]
) -> None:
    """By their number against that of the keys: more cannot be seen from outside."""
    checks = judge.group(Group("Stable" if members else "Empty", members), keys=keys, replica_set=replica_set)
    assert [check.name for check in checks if check.status == "warn"] == warned


def test_a_group_that_is_being_shared_out_is_warned_of() -> None:
    """It may last, and then nobody publishes."""
    (check,) = judge.group(Group("PreparingRebalance", ("c0",)), keys=1, replica_set=False)
    assert check.status == "warn"
