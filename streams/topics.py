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
    name="wallet-state.v1",
    key="wallet, and the position record of the partition",
    owner="streams",
    doc="What the wallet agents remember, written in transactions.",
    cleanup="compact",
    internal=True,
)
MARKET_STATE: Final = TopicSpec(
    name="market-state.v1",
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
STREAMS_TOPICS: Final = (ORDERS_BY_MARKET, WALLET_STATS, MARKET_STATS, WALLET_STATE, MARKET_STATE, ALERTS)
