"""What reaches people, notifier and board, and what all processes use."""

from __future__ import annotations

from typing import Final

from k8s.monitoring.generate.figures import Graph, Row, quantiles

DELIVERY: Final = Row(
    "Notifications and board",
    [
        Graph(
            "Alerts taken, by outcome",
            "queued: on their way to a receiver. silenced: somebody said so. unrouted: the route's receiver has no"
            " address. unwanted: over, and nobody asked. dead: given up.",
            "suffix: alerts/s",
            {"{{outcome}}": "sum by (outcome) (rate(walletstream_notify_alerts_total[$__rate_interval]))"},
            stacked=True,
            width=6,
        ),
        Graph(
            "Notifications, by receiver and outcome",
            "sent, retried (it failed and is tried again), dead (given up). Runbooks notify-failing, notify-dead.",
            "suffix: /s",
            {
                "{{receiver}} {{outcome}}": "sum by (receiver, outcome)"
                " (rate(walletstream_notify_notifications_total[$__rate_interval]))"
            },
            width=6,
        ),
        Graph(
            "Sending, by receiver",
            "How long a receiver takes for one notification.",
            "s",
            quantiles("walletstream_notify_send_seconds", by="receiver"),
            width=6,
        ),
        Graph(
            "Waiting",
            "lag: alerts on the topic that are not read yet. pending: read, and not sent yet, for they are grouped"
            " and limited. Runbook notify-lagging.",
            "short",
            {
                "lag": "sum(walletstream_notify_lag_records)",
                "pending": "sum(walletstream_notify_pending_alerts)",
                "groups": "sum(walletstream_notify_groups)",
            },
            width=6,
        ),
        Graph(
            "Board: viewers",
            "Pages that are connected now, and snapshots a second: sent to who comes, and to who was too slow for"
            " changes.",
            "short",
            {
                "viewers {{instance}}": "walletstream_board_viewers",
                "snapshots/s": "sum(rate(walletstream_board_snapshots_total[$__rate_interval]))",
            },
            width=6,
        ),
        Graph(
            "Board: how current",
            "Records between what it shows and the topics' ends, and the feeds that are not at their end."
            " Neither should stay above 0.",
            "short",
            {
                "behind, {{topic}}": "max by (topic) (walletstream_board_lag_records)",
                "feeds away": "sum(1 - walletstream_board_reading)",
            },
            width=6,
        ),
        Graph(
            "Board: unreadable records",
            "In 5 minutes. They were passed over; versions do not fit, or somebody else writes to our topics.",
            "short",
            {"unreadable": "sum(increase(walletstream_board_unreadable_records_total[5m]))"},
            width=6,
        ),
        Graph(
            "Board: records read, by topic",
            "It reads like any other consumer, from the past at its start.",
            "suffix: /s",
            {"{{topic}}": "sum by (topic) (rate(walletstream_board_events_total[$__rate_interval]))"},
            width=6,
        ),
    ],
)

PROCESSES: Final = Row(
    "Processes",
    [
        Graph(
            "Answers Prometheus",
            "1: yes. 0 for minutes: runbooks connector-down, streams-down, notify-down, board-down.",
            "short",
            {"{{job}} {{instance}}": 'up{job=~"walletstream-.+"}'},
        ),
        Graph(
            "CPU",
            "Cores in use. Each process is one event loop: near 1 it is at its limit, and more replicas help, not"
            " more CPU.",
            "short",
            {"{{instance}}": 'rate(process_cpu_seconds_total{job=~"walletstream-.+"}[$__rate_interval])'},
        ),
        Graph(
            "Memory",
            "Resident. At the container's limit the kernel ends the process: runbooks memory-near-limit,"
            " memory-runs-out.",
            "bytes",
            {"{{instance}}": 'process_resident_memory_bytes{job=~"walletstream-.+"}'},
        ),
        Graph(
            "Open files and sockets",
            "Should be flat. A slope is a leak, and ends at the limit.",
            "short",
            {"{{instance}}": 'process_open_fds{job=~"walletstream-.+"}'},
        ),
        Graph(
            "Age of the process",
            "Falls to 0 at a start. A saw: runbook restarting.",
            "s",
            {"{{instance}}": 'time() - process_start_time_seconds{job=~"walletstream-.+"}'},
        ),
        Graph(
            "Versions",
            "How many processes run which version; two during a rollout only.",
            "short",
            {
                "connector {{version}}": "count by (version) (walletstream_connector_build_info)",
                "streams {{version}}": "count by (version) (walletstream_streams_build_info)",
                "notify {{version}}": "count by (version) (walletstream_notify_build_info)",
                "board {{version}}": "count by (version) (walletstream_board_build_info)",
            },
        ),
    ],
)
