"""How fast orders and alerts are: ours, and the provider's part."""

from __future__ import annotations

from typing import Final

from k8s.monitoring.generate.figures import Graph, Limits, Number, Row, quantile, quantiles

SPEED: Final = Row(
    "How fast are they?",
    [
        Number(
            "Wire to Kafka, p50",
            "From a frame's arrival at the socket to Kafka's acknowledgement, for half of the orders.",
            "s",
            quantile(0.5, "walletstream_connector_wire_to_kafka_seconds"),
            Limits(warn=0.05, bad=0.5),
        ),
        Number(
            "Wire to Kafka, p99",
            "For all but one order in 100. Above 0.5 s: runbook wire-to-kafka-slow.",
            "s",
            quantile(0.99, "walletstream_connector_wire_to_kafka_seconds"),
            Limits(warn=0.1, bad=0.5),
        ),
        Number(
            "Wire to alert, p50",
            "From a frame's arrival at the connector's socket to the acknowledged alert, for half of the alerts.",
            "s",
            quantile(0.5, "walletstream_streams_wire_to_alert_seconds"),
            Limits(warn=0.1, bad=2),
        ),
        Number(
            "Wire to alert, p99",
            "For all but one alert in 100. Above 2 s: runbook wire-to-alert-slow.",
            "s",
            quantile(0.99, "walletstream_streams_wire_to_alert_seconds"),
            Limits(warn=0.5, bad=2),
        ),
        Number(
            "Provider delay, p50",
            "From an order's own time to its arrival: the provider's part, which nothing here can shorten. Whole"
            " seconds.",
            "s",
            quantile(0.5, "walletstream_connector_provider_delay_seconds"),
            Limits(warn=10, bad=30),
        ),
        Number(
            "Clock offset",
            "The provider's clock minus ours, the worst. Latencies between machines are as good as their clocks."
            " Above 5 s: runbook clock-skew.",
            "s",
            "max(abs(walletstream_connector_clock_offset_seconds))",
            Limits(warn=1, bad=5),
        ),
        Graph(
            "Wire to Kafka",
            "The connector's part. Which stage it is, the next row but one tells.",
            "s",
            quantiles("walletstream_connector_wire_to_kafka_seconds"),
            Limits(warn=0.1, bad=0.5),
        ),
        Graph(
            "Wire to alert, by topic",
            "orders: alerts on wallets. orders-by-market: alerts on markets, which take one more topic.",
            "s",
            quantiles("walletstream_streams_wire_to_alert_seconds", by="topic"),
            Limits(warn=0.5, bad=2),
        ),
        Graph(
            "Provider delay",
            "How old orders are when they arrive. Where it jumps and nothing here does, the provider is slow, or"
            " lags behind the chain.",
            "s",
            quantiles("walletstream_connector_provider_delay_seconds"),
        ),
        Graph(
            "Stages of the connector, p99",
            "decide: from the frame's arrival until it is handed to the producer, our CPU and waiting for a"
            " hand-over. acknowledge: Kafka.",
            "s",
            {"{{stage}}": quantile(0.99, "walletstream_connector_stage_seconds", by="stage")},
            width=12,
        ),
        Graph(
            "Stages of streams, p99",
            "log: from Kafka's append until taken, so fetching and waiting for the fold before. fold: our CPU."
            " publish: Kafka.",
            "s",
            {"{{stage}}": quantile(0.99, "walletstream_streams_stage_seconds", by="stage")},
            width=12,
        ),
    ],
)
