from __future__ import annotations

from connector.contract.topics import CONNECTOR_TOPICS
from streams.topics import ALERTS, MARKET_STATE, ORDERS_BY_MARKET, STREAMS_TOPICS, WALLET_STATE

DAY_MS = 86_400_000


def test_topics_of_streams_are_versioned_and_its_own() -> None:
    """Each name ends in its version, is unique across both packages, and names its owner."""
    names = [spec.name for spec in (*CONNECTOR_TOPICS, *STREAMS_TOPICS)]
    assert len(set(names)) == len(names)
    assert all(spec.name[-3:-1] == ".v" and spec.owner == "streams" for spec in STREAMS_TOPICS)


def test_state_and_statistics_are_compacted_and_events_expire() -> None:
    """What is a value per key is kept per key, what is an event is kept for its time."""
    assert {spec.name: spec.config()["cleanup.policy"] for spec in STREAMS_TOPICS} == {
        "orders-by-market.v1": "delete",
        "wallet-stats.v1": "compact",
        "market-stats.v1": "compact",
        "wallet-state.v2": "compact",
        "market-state.v2": "compact",
        "alerts-shadow.v1": "delete",
        "alert-grades.v1": "delete",
        "rule-scores.v1": "compact",
        "rules.v1": "compact",
        "alerts.v1": "delete",
        "notifications.v1": "compact",
        "notifications-dead.v1": "delete",
    }
    assert ORDERS_BY_MARKET.config()["retention.ms"] == str(35 * DAY_MS)
    assert ALERTS.config()["retention.ms"] == str(30 * DAY_MS)


def test_clocks_are_read_from_broker_stamped_topics() -> None:
    """The market agents' clock is the append time of orders-by-market."""
    assert ORDERS_BY_MARKET.config()["message.timestamp.type"] == "LogAppendTime"
    assert WALLET_STATE.internal
    assert MARKET_STATE.internal
