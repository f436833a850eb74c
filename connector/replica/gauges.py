"""Gauges of a replica, read from the state of its parts whenever somebody scrapes. Shell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from connector.session import State

if TYPE_CHECKING:
    from connector.contract.coverage import Standing
    from connector.metrics import Metrics
    from connector.replica.assembly import Parts

CONNECTED: Final = (State.SUBSCRIBING, State.LIVE)
"""States of a session that has a connection."""

_STATES: dict[Standing, str] = {"live": "live", "down": "not_live", "no-room": "no_room", "refused": "refused"}


def gauged(parts: Parts, metrics: Metrics, *, queue_limit: int) -> None:
    """Have the gauges tell how these parts are, from now on."""
    metrics.orders.queue_limit.set(queue_limit)
    metrics.before_scrape(lambda: _refresh(parts, metrics))


def _refresh(parts: Parts, metrics: Metrics) -> None:
    metrics.orders.unacknowledged.set(parts.publisher.unacknowledged)
    metrics.group.partitions.set(len(parts.replica.shards))
    metrics.group.lease.set(parts.replica.may_write())
    metrics.audit.age.set(parts.auditor.age)
    _sockets(parts, metrics)
    _coverage(parts, metrics)


def _sockets(parts: Parts, metrics: Metrics) -> None:
    for feed in (feed for side in parts.sockets.sides for feed in side):
        metrics.sockets.connected.labels(feed.name).set(feed.session.state in CONNECTED)
        metrics.sockets.subscriptions.labels(feed.name).set(feed.session.confirmed)
    metrics.sockets.clock_offset.set(parts.replica.now_ms() / 1000 - time.time_ns() / 1e9)


def _coverage(parts: Parts, metrics: Metrics) -> None:
    now = parts.coverage.overview(parts.replica.now_ms())
    for standing, state in _STATES.items():
        metrics.coverage.wallets.labels(state).set(now.standings[standing])
    metrics.coverage.lag.set(now.lag_ms / 1000)
    metrics.coverage.gaps_open.set(now.gaps)
    metrics.coverage.oldest_gap.set(now.oldest_gap_ms / 1000)
