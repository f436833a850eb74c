"""The streams workers: how far they are, what they hold, and the rules they evaluate."""

from __future__ import annotations

from typing import Final

from k8s.monitoring.generate.figures import Graph, Limits, Row, quantile, quantiles

STREAMS: Final = Row(
    "Streams",
    [
        Graph(
            "Lag, by topic",
            "Records that are not folded yet. It should touch 0 all the time; a slope upwards: runbook"
            " streams-lag-growing.",
            "short",
            {
                "{{topic}}": "sum by (topic) (walletstream_streams_lag_records)",
                "{{topic}}, worst partition": "max by (topic) (walletstream_streams_lag_records)",
            },
        ),
        Graph(
            "Shards, by state",
            "working: restored and folding. restoring: statistics and alerts of these partitions stand still;"
            " seconds after a rebalance. Longer: runbook streams-restoring-too-long.",
            "short",
            {"{{topic}} {{state}}": "sum by (topic, state) (walletstream_streams_shards)"},
            stacked=True,
        ),
        Graph(
            "Rebalances and shard failures",
            "In 5 minutes. Each rebalance stops all workers for a moment. fenced: two workers wanted one partition;"
            " kafka: it refused or was away; defect: ours.",
            "short",
            {
                "rebalances {{instance}}": "sum by (instance) (increase(walletstream_streams_rebalances_total[5m]))",
                "{{reason}}": "sum by (reason) (increase(walletstream_streams_shard_failures_total[5m]))",
            },
        ),
        Graph(
            "Age of what is remembered",
            "A crash folds so much again; it loses nothing. Usual: REMEMBER_INTERVAL, a second."
            " Minutes: runbook streams-remember-stale.",
            "s",
            {"{{topic}}, worst partition": "max by (topic) (walletstream_streams_remember_age_seconds)"},
            Limits(warn=10, bad=60),
        ),
        Graph(
            "Remembering",
            "Duration of one transaction of state and position. Long ones are Kafka's: its disk, or too many"
            " partitions.",
            "s",
            quantiles("walletstream_streams_remember_seconds"),
        ),
        Graph(
            "Remembered offsets",
            "How fast positions advance, as records a second. It follows the orders folded; 0 with orders coming is a"
            " shard that is stuck.",
            "suffix: /s",
            {
                "{{topic}}": "sum by (topic) (deriv(walletstream_streams_remembered_offset[5m]))",
            },
        ),
        Graph(
            "State, by topic",
            "As it is remembered in Kafka; in memory it is larger. It grows with wallets and markets: compare with"
            " memory below.",
            "bytes",
            {"{{topic}}": "sum by (topic) (walletstream_streams_state_bytes)"},
        ),
        Graph(
            "Wallets and markets in state",
            "orders: wallets. orders-by-market: markets.",
            "short",
            {"{{topic}}": "sum by (topic) (walletstream_streams_subjects)"},
        ),
        Graph(
            "Restoring a shard",
            "From taking it over until its state is complete: how long a partition pauses at a rebalance. Of all"
            " since the workers' start.",
            "s",
            {
                "p50": "histogram_quantile(0.5, sum by (le) (walletstream_streams_restore_seconds_bucket))",
                "p99": "histogram_quantile(0.99, sum by (le) (walletstream_streams_restore_seconds_bucket))",
            },
        ),
        Graph(
            "Records per batch and transaction",
            "Medians. One record a batch: everything is folded as it comes. Hundreds: the worker catches up, or is"
            " at its limit.",
            "short",
            {
                "taken": quantile(0.5, "walletstream_streams_batch_orders"),
                "remembered": quantile(0.5, "walletstream_streams_remember_records"),
            },
        ),
        Graph(
            "Statistics published",
            "Records of wallet-stats.v1 and market-stats.v1. A worker that is behind publishes less often.",
            "suffix: /s",
            {"{{topic}}": "sum by (topic) (rate(walletstream_streams_statistics_total[$__rate_interval]))"},
        ),
        Graph(
            "Repeated orders and dead letters",
            "Orders that the topic held before are left out of everything. Dead letters: somebody else writes to"
            " orders.v1, or versions do not fit; runbook streams-dead-letters.",
            "suffix: /s",
            {
                "repeated, {{topic}}": "sum by (topic) (rate(walletstream_streams_duplicates_total[$__rate_interval]))",
                "dead, {{reason}}": "sum by (reason) (rate(walletstream_streams_dead_letters_total[$__rate_interval]))",
            },
        ),
    ],
)

RULES: Final = Row(
    "Rules and alerts",
    [
        Graph(
            "Alerts firing, by rule",
            "Told firing in 5 minutes. One rule far above the others: too wide, or something happens in the market.",
            "short",
            {
                "{{rule}}": "topk(20, sum by (rule)"
                ' (increase(walletstream_streams_alerts_total{mode="active", state="firing"}[5m])))'
            },
            stacked=True,
        ),
        Graph(
            "Rules in force, and evaluations",
            "Rules by mode, and how many are asked per order: selectors keep that low.",
            "short",
            {
                "{{mode}}": "max by (mode) (walletstream_streams_rules)",
                "evaluations per order": "sum(rate(walletstream_streams_rule_evaluations_total[$__rate_interval]))"
                " / sum(rate(walletstream_streams_orders_total[$__rate_interval]))",
            },
        ),
        Graph(
            "Rule errors, by rule",
            "Evaluations without a value in 5 minutes. After 100 in a partition the rule is parked there: runbook"
            " rule-errors. No data: there was none since the start.",
            "short",
            {"{{rule}}": "sum by (rule) (increase(walletstream_streams_rule_errors_total[5m]))"},
        ),
    ],
)
