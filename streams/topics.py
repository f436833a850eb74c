"""Topics that streams owns."""

from __future__ import annotations

from typing import Final

from connector.contract.topics import DAY_MS, TopicSpec

ORDERS_BY_MARKET: Final = TopicSpec(
    name="orders-by-market.v1",
    key="condition_id",
    owner="streams",
    doc="The orders again, by market; headers name partition and offset of the original.",
    retention_ms=35 * DAY_MS,
    append_time=True,
    internal=True,
)
WALLET_STATS: Final = TopicSpec(
    name="wallet-stats.v1",
    key="wallet",
    owner="streams",
    doc="Rolling statistics of each wallet, the latest record counts; ignore a lower as_of_offset.",
    cleanup="compact",
)
MARKET_STATS: Final = TopicSpec(
    name="market-stats.v1",
    key="condition_id",
    owner="streams",
    doc="Rolling statistics of each market over the watched wallets; ignore a lower as_of_offset.",
    cleanup="compact",
)
WALLET_STATE: Final = TopicSpec(
    name="wallet-state.v2",
    key="wallet, and the position record of the partition",
    owner="streams",
    doc="What the wallet agents remember, written in transactions.",
    cleanup="compact",
    internal=True,
)
MARKET_STATE: Final = TopicSpec(
    name="market-state.v2",
    key="condition_id, and the position record of the partition",
    owner="streams",
    doc="What the market agents remember, written in transactions.",
    cleanup="compact",
    internal=True,
)
ALERTS: Final = TopicSpec(
    name="alerts.v1",
    key="fingerprint",
    owner="streams",
    doc="Alerts with their reasons; alert_id tells a repetition.",
    retention_ms=30 * DAY_MS,
)
ALERTS_SHADOW: Final = TopicSpec(
    name="alerts-shadow.v1",
    key="fingerprint",
    owner="streams",
    doc="Alerts of rules on trial (mode SHADOW), which notify nobody.",
    retention_ms=30 * DAY_MS,
)
RULES: Final = TopicSpec(
    name="rules.v1",
    key="rule id, ID@shadow for a version on trial beside it, or silence:ID",
    owner="streams",
    doc="Rules and silences in force, over those of the workers' file; what one batch holds takes effect at once.",
    cleanup="compact",
    append_time=True,
    min_compaction_lag_ms=DAY_MS,
    partitions=1,
)
ALERT_GRADES: Final = TopicSpec(
    name="alert-grades.v1",
    key="rule",
    owner="streams",
    doc="What became of the price after each alert; of records with one grade_id the first counts.",
    retention_ms=90 * DAY_MS,
)
RULE_SCORES: Final = TopicSpec(
    name="rule-scores.v1",
    key="rule|mode|rule_hash|horizon|partition",
    owner="streams",
    doc="Running totals of each rule's grades per partition of the markets, to be added up.",
    cleanup="compact",
)
NOTIFICATIONS: Final = TopicSpec(
    name="notifications.v1",
    key="target and a hash of the group",
    owner="streams",
    doc="What the notifier remembers of each group of alerts, the notification under way included.",
    cleanup="compact",
    segment_bytes=16 * 1024 * 1024,
    partitions=1,
    internal=True,
)
NOTIFICATIONS_DEAD: Final = TopicSpec(
    name="notifications-dead.v1",
    key="key of the notification, or none where an alert could not be read",
    owner="streams",
    doc="Notifications that no receiver took, and alerts that could not be read, with the reason.",
    retention_ms=30 * DAY_MS,
)
WORKER_TOPICS: Final = (
    ORDERS_BY_MARKET,
    WALLET_STATS,
    MARKET_STATS,
    WALLET_STATE,
    MARKET_STATE,
    ALERTS,
    ALERTS_SHADOW,
    RULES,
    ALERT_GRADES,
    RULE_SCORES,
)
"""What workers read and write."""

NOTIFY_TOPICS: Final = (NOTIFICATIONS, NOTIFICATIONS_DEAD)
"""What the notifier writes."""

STREAMS_TOPICS: Final = (*WORKER_TOPICS, *NOTIFY_TOPICS)
