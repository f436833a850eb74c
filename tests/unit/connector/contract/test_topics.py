from __future__ import annotations

import pytest

from connector.contract.errors import TopicMismatch
from connector.contract.topics import (
    CONNECTOR_TOPICS,
    COVERAGE,
    GAPS,
    ORDERS,
    ORDERS_DEAD,
    WATCHLIST,
    TopicSpec,
    TopicState,
    missing_topics,
)


def matching(partitions: int = 8) -> dict[str, TopicState]:
    """Return the topics as a broker reports them when all is well, with settings of its own besides."""
    return {
        spec.name: TopicState(partitions=partitions, config={"segment.bytes": "1073741824", **spec.config()})
        for spec in CONNECTOR_TOPICS
    }


def test_on_an_empty_cluster_all_are_missing() -> None:
    """Everything is to be created, in the order given."""
    assert missing_topics(CONNECTOR_TOPICS, {}, partitions=8) == list(CONNECTOR_TOPICS)


def test_what_exists_and_matches_is_left_alone() -> None:
    """Nothing is to be created where everything is as it should be."""
    assert missing_topics(CONNECTOR_TOPICS, matching(), partitions=8) == []


def test_the_others_are_created() -> None:
    """One that is missing is created beside those that exist."""
    existing = matching()
    del existing[ORDERS_DEAD.name]
    assert missing_topics(CONNECTOR_TOPICS, existing, partitions=8) == [ORDERS_DEAD]


def test_another_number_of_partitions_names_both_numbers_and_the_remedy() -> None:
    """Partitions are never added, so the error says what to set instead."""
    with pytest.raises(TopicMismatch, match=r"orders\.v1 has 4 partitions, the contract says 8: set PARTITIONS=4"):
        missing_topics([ORDERS], matching(4), partitions=8)


def test_a_topic_with_a_number_of_partitions_of_its_own_has_that_whatever_the_deployments() -> None:
    """One partition is right beside topics of eight; another number is no matter of PARTITIONS."""
    spec = TopicSpec(name="one.v1", key="", owner="streams", doc="", partitions=1)
    right, wrong = (TopicState(partitions=number, config=spec.config()) for number in (1, 8))
    assert missing_topics([spec], {spec.name: right}, partitions=8) == []
    with pytest.raises(TopicMismatch, match=r"one\.v1 has 8 partitions, the contract says 1 whatever PARTITIONS is"):
        missing_topics([spec], {spec.name: wrong}, partitions=8)


def test_another_setting_comes_with_the_command_that_corrects_it() -> None:
    """The remedy can be pasted."""
    existing = {ORDERS.name: TopicState(partitions=8, config={**ORDERS.config(), "cleanup.policy": "compact"})}
    with pytest.raises(TopicMismatch, match=r"cleanup\.policy=compact.*--add-config cleanup\.policy=delete"):
        missing_topics([ORDERS], existing, partitions=8)


def test_all_differences_are_reported_at_once() -> None:
    """Two topics, five faults, one error."""
    existing = matching(1)
    existing[ORDERS.name] = TopicState(partitions=1, config={})
    with pytest.raises(TopicMismatch) as caught:
        missing_topics([ORDERS, ORDERS_DEAD], existing, partitions=8)
    assert str(caught.value).count("; ") == 4
    assert all(word in str(caught.value) for word in ("orders-dead.v1", "retention.ms", "message.timestamp.type"))


def test_a_prefix_changes_nothing_but_the_name() -> None:
    """A deployment's prefix keeps settings and key."""
    prefixed = ORDERS.prefixed("staging.")
    assert prefixed.name == "staging.orders.v1"
    assert prefixed.config() == ORDERS.config()


def test_compaction_waits_where_a_topic_says_so() -> None:
    """The lag is the broker's setting of that name."""
    spec = TopicSpec(
        name="lag.v1", key="", owner="streams", doc="", cleanup="compact", min_compaction_lag_ms=86_400_000
    )
    assert spec.config()["min.compaction.lag.ms"] == "86400000"


def test_the_connectors_topics_keep_what_the_contract_promises() -> None:
    """35, 30 and 90 days or the last value of each key, arrival stamped where dedupe memory depends on it."""
    assert ORDERS.config() == {
        "cleanup.policy": "delete",
        "retention.ms": "3024000000",
        "message.timestamp.type": "LogAppendTime",
    }
    assert ORDERS_DEAD.config() == {"cleanup.policy": "delete", "retention.ms": "2592000000"}
    assert WATCHLIST.config() == {"cleanup.policy": "compact"}
    assert COVERAGE.config() == {"cleanup.policy": "compact", "segment.bytes": "16777216"}
    assert GAPS.config() == {"cleanup.policy": "delete", "retention.ms": "7776000000"}
