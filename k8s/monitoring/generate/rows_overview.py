"""What everybody looks at first: are orders complete, and how many are there."""

from __future__ import annotations

from typing import Final

from k8s.monitoring.generate.figures import Graph, Limits, Number, Row

OVERVIEW: Final = Row(
    "Are orders complete?",
    [
        Number(
            "Completeness",
            "Of the orders that audits found in the provider's REST during the time shown, the share that orders.v1"
            " has. The objective is 99.9 %. Below 100 %: runbook audit-finds-missing.",
            "percentunit",
            'sum(increase(walletstream_connector_audit_orders_total{result="found"}[$__range]))'
            " / sum(increase(walletstream_connector_audit_orders_total[$__range]))",
            Limits(warn=1, bad=0.999, low_is_bad=True),
            decimals=3,
        ),
        Number(
            "Orders audited",
            "How many orders the completeness beside rests on. None: audits are off, or fail; runbook"
            " audit-not-running.",
            "short",
            "sum(increase(walletstream_connector_audit_orders_total[$__range]))",
            decimals=0,
        ),
        Number(
            "Gaps open",
            "Wallets whose orders may be missing for now; REST is filling them. Normal for a minute after a"
            " disconnect. For longer: runbook gap-open-too-long.",
            "short",
            "sum(walletstream_connector_gaps_open)",
            Limits(warn=1, bad=100),
        ),
        Number(
            "Coverage lag",
            "The wallet that is furthest behind is complete up to so long ago. Usual: up to a minute."
            " More: runbook coverage-lagging.",
            "s",
            "max(walletstream_connector_coverage_lag_seconds)",
            Limits(warn=120, bad=900),
        ),
        Number(
            "Unrecoverable gaps",
            "Gaps of the time shown that were given up: their orders are missing for good, and gaps.v1 has them."
            " Not 0: runbook orders-unrecoverable.",
            "short",
            'sum(increase(walletstream_connector_gaps_closed_total{outcome="unrecoverable"}[$__range]))',
            Limits(warn=0.01, bad=0.5),
            decimals=0,
        ),
        Number(
            "Alerts firing",
            "Of those that alerts.yaml defines, whatever is chosen above. Grafana's and Alertmanager's pages list"
            " them.",
            "short",
            'count(ALERTS{alertname=~"Walletstream.+", alertstate="firing"}) or vector(0)',
            Limits(warn=1, bad=3),
        ),
        Graph(
            "Gaps opened, by cause",
            "What may have hidden orders: disconnect and silence are the provider's or the network's, handover and"
            " start ours, silent-loss what only a comparison with REST found.",
            "suffix: /s",
            {"{{cause}}": "sum by (cause) (rate(walletstream_connector_gaps_total[$__rate_interval]))"},
            stacked=True,
        ),
        Graph(
            "Gaps open, and their end",
            "Open gaps should return to 0. unrecoverable should stay there.",
            "short",
            {
                "open": "sum(walletstream_connector_gaps_open)",
                "{{outcome}} in 5 m": "sum by (outcome) (increase(walletstream_connector_gaps_closed_total[5m]))",
            },
        ),
        Graph(
            "Coverage lag and oldest gap",
            "Both fall to seconds when REST has filled what sockets missed. If they grow with the clock, nothing"
            " repairs: see REST below.",
            "s",
            {
                "coverage lag {{instance}}": "walletstream_connector_coverage_lag_seconds",
                "oldest gap {{instance}}": "walletstream_connector_gap_oldest_age_seconds",
            },
            Limits(warn=120, bad=900),
        ),
    ],
)

THROUGHPUT: Final = Row(
    "How many are there?",
    [
        Graph(
            "Orders published, by source",
            "Acknowledged by Kafka. ws: live from a socket; backfill: fetched from REST. Much backfill means that"
            " sockets miss orders.",
            "suffix: orders/s",
            {"{{source}}": "sum by (source) (rate(walletstream_connector_orders_total[$__rate_interval]))"},
            stacked=True,
        ),
        Graph(
            "Orders folded, by topic",
            "Each order once as a wallet's and, if it has a market, once as the market's. They should follow what is"
            " published; a difference that stays is lag.",
            "suffix: orders/s",
            {"{{topic}}": "sum by (topic) (rate(walletstream_streams_orders_total[$__rate_interval]))"},
        ),
        Graph(
            "Alerts, by mode and state",
            "Acknowledged by Kafka. A jump: see which rule below, and whether it is right.",
            "suffix: alerts/s",
            {"{{mode}} {{state}}": "sum by (mode, state) (rate(walletstream_streams_alerts_total[$__rate_interval]))"},
            stacked=True,
        ),
    ],
)
