"""The connector: what it publishes, owns and repairs, and its sockets."""

from __future__ import annotations

from typing import Final

from k8s.monitoring.generate.figures import Graph, Limits, Row, quantiles

CONNECTOR: Final = Row(
    "Connector",
    [
        Graph(
            "Wallets, by state",
            "live: a socket delivers. not_live: none does, REST is polled. no_room: the key's quota is full."
            " refused: the provider turned them down. Runbooks wallets-*.",
            "short",
            {"{{state}}": "sum by (state) (walletstream_connector_wallets)"},
            stacked=True,
        ),
        Graph(
            "Partitions owned, by replica",
            "The sum is the number of partitions of the watch-list. A step is a hand-over; steps all the time:"
            " runbook handovers-flapping.",
            "short",
            {"{{instance}}": "sum by (instance) (walletstream_connector_partitions)"},
            stacked=True,
        ),
        Graph(
            "Lease held, and hand-overs",
            "1: Kafka confirms that the partitions are ours; at 0 nothing is published, runbook lease-lost."
            " Hand-overs happen when replicas come and go.",
            "short",
            {
                "lease {{instance}}": "walletstream_connector_lease_held",
                "hand-overs in 5 m {{instance}}": "increase(walletstream_connector_handovers_total[5m])",
            },
        ),
        Graph(
            "Queue, of its limit",
            "Records that Kafka has yet to acknowledge. At 100 % the connector stops reading its sockets:"
            " runbook queue-near-limit.",
            "percentunit",
            {
                "{{instance}}": "walletstream_connector_unacknowledged_records"
                " / walletstream_connector_queue_limit_records"
            },
            Limits(warn=0.5, bad=0.8),
        ),
        Graph(
            "Duplicates and other hands' orders",
            "Deliveries of what was published before are dropped here: mirrors, redeliveries, overlaps of REST."
            " foreign: orders that another replica published to our partitions, after an unclean end.",
            "suffix: orders/s",
            {
                "duplicate {{source}}": "sum by (source)"
                " (rate(walletstream_connector_duplicates_total[$__rate_interval]))",
                "foreign": "sum(rate(walletstream_connector_foreign_orders_total[$__rate_interval]))",
            },
        ),
        Graph(
            "Dead letters of the connector, by reason",
            "Frames and rows that could not be read; orders-dead.v1 has them. Not 0: runbook connector-dead-letters."
            " No data: there was none since the start.",
            "short",
            {"{{reason}} in 5 m": "sum by (reason) (increase(walletstream_connector_dead_letters_total[5m]))"},
        ),
        Graph(
            "REST requests, by outcome",
            "ok, or why not. rate: the quota is used up; auth: the key; server, timeout, network: the provider."
            " Runbook rest-failing.",
            "suffix: /s",
            {"{{outcome}}": "sum by (outcome) (rate(walletstream_connector_rest_requests_total[$__rate_interval]))"},
            stacked=True,
        ),
        Graph(
            "REST, waiting for the quota",
            "How long requests waited for room in the key's quota. Long after a disconnect of many wallets; always:"
            " the TIER is too small for the watch-list.",
            "s",
            quantiles("walletstream_connector_rest_wait_seconds"),
        ),
        Graph(
            "Audits",
            "By outcome, and how long ago the last comparison was. incomplete: the topic lacked an order; failed:"
            " nothing could be compared. Runbook audit-not-running.",
            "short",
            {
                "{{outcome}} in 5 m": "sum by (outcome) (increase(walletstream_connector_audits_total[5m]))",
                "oldest, minutes": "max(walletstream_connector_audit_age_seconds) / 60",
            },
        ),
    ],
)

SOCKETS: Final = Row(
    "Sockets",
    [
        Graph(
            "Connected",
            "1: connected. A socket without wallets stays at 0. One that has some: runbook socket-disconnected.",
            "short",
            {"{{instance}} {{socket}}": "walletstream_connector_connected"},
        ),
        Graph(
            "Connections and their ends",
            "In 5 minutes. disconnect and silence are the network's or the provider's, refused the key's, unwanted"
            " ours. Runbook socket-flapping.",
            "short",
            {
                "made": "sum(increase(walletstream_connector_connections_total[5m]))",
                "failed": "sum(increase(walletstream_connector_connect_failures_total[5m])) or vector(0)",
                "{{cause}}": "sum by (cause) (increase(walletstream_connector_disconnects_total[5m]))",
            },
        ),
        Graph(
            "Frames and subscriptions",
            "Frames a second by socket, and how many subscriptions the provider confirmed. Subscriptions without"
            " frames: the market sleeps, or the provider does.",
            "short",
            {
                "frames/s {{instance}} {{socket}}": "rate(walletstream_connector_frames_total[$__rate_interval])",
                "subscriptions {{instance}} {{socket}}": "walletstream_connector_subscriptions",
            },
        ),
        Graph(
            "Orders recovered by REST",
            "Orders that no socket had brought: what repairs are for. All the time: a socket loses events.",
            "suffix: orders/s",
            {"recovered": "sum(rate(walletstream_connector_recovered_orders_total[$__rate_interval]))"},
            width=12,
        ),
        Graph(
            "Clock offset, by replica",
            "The provider's clock minus ours. Runbook clock-skew.",
            "s",
            {"{{instance}}": "walletstream_connector_clock_offset_seconds"},
            width=12,
        ),
    ],
)
