"""What one shard counts. Shell over `streams.metrics`: every series is looked up once, and moved once per batch."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from connector.contract.provenance import header_ns
from connector.contract.record import DeadRecord

if TYPE_CHECKING:
    import asyncio

    from streams.effects import Output
    from streams.metrics import Metrics
    from streams.records import Alert


class Meter:
    """The metrics of a shard whose source topic has a label."""

    def __init__(self, metrics: Metrics, label: str) -> None:
        self._metrics = metrics
        self._orders = metrics.orders.labels(label)
        self._duplicates = metrics.duplicates.labels(label)
        self._statistics = metrics.statistics.labels(label)
        self._wire_to_alert = metrics.wire_to_alert.labels(label)
        self._log, self._fold, self._publish = (metrics.stage.labels(stage) for stage in ("log", "fold", "publish"))

    def folded(self, records: int, *, oldest_ms: int, taken_ns: int) -> None:
        """Count a batch, taken at `taken_ns`, whose first record was appended at `oldest_ms`."""
        self._orders.inc(records)
        self._metrics.batch_orders.observe(records)
        self._log.observe(max(0.0, taken_ns / 1e9 - oldest_ms / 1e3))
        self._fold.observe((time.time_ns() - taken_ns) / 1e9)

    def duplicates(self, orders: int) -> None:
        """Count orders that the topic held before."""
        self._duplicates.inc(orders)

    def rule_failed(self, rule: str | None, times: int) -> None:
        """Count evaluations without a value; None: the rule is not in force any more."""
        self._metrics.rule_errors.labels(rule or "").inc(times)

    def statistics(self, records: int, sent: asyncio.Future[Any]) -> None:
        """Count statistics when they are acknowledged."""
        sent.add_done_callback(partial(self._statistics_acknowledged, records))

    def urgent(self, output: Output, sent: asyncio.Future[Any]) -> None:
        """Count an alert or a dead letter when it is acknowledged; it was handed over just now."""
        if output.about is not None:
            sent.add_done_callback(partial(self._acknowledged, output, time.time_ns()))

    def remembered(self, records: int, seconds: float) -> None:
        """Count a transaction."""
        self._metrics.remember_records.observe(records)
        self._metrics.remember_seconds.observe(seconds)

    def restored(self, seconds: float) -> None:
        """Count a state that is complete."""
        self._metrics.restore_seconds.observe(seconds)

    def failed(self, reason: str) -> None:
        """Count a shard that is given up, for one of the catalogue's reasons."""
        self._metrics.shard_failures.labels(reason).inc()

    def _statistics_acknowledged(self, records: int, sent: asyncio.Future[Any]) -> None:
        if _succeeded(sent):
            self._statistics.inc(records)

    def _acknowledged(self, output: Output, handed_ns: int, sent: asyncio.Future[Any]) -> None:
        if not _succeeded(sent) or output.about is None:
            return
        if isinstance(output.about, DeadRecord):
            self._metrics.dead_letters.labels(output.about.reason).inc()
            return
        self._alert(output.about)
        now_ns = time.time_ns()
        self._publish.observe((now_ns - handed_ns) / 1e9)
        if (received_ns := header_ns(output.headers, "received_ns")) is not None:  # else it was tipped by time alone
            self._wire_to_alert.observe(max(0.0, (now_ns - received_ns) / 1e9))

    def _alert(self, alert: Alert) -> None:
        self._metrics.alerts.labels(alert.rule, alert.mode.lower(), alert.transition).inc()


def _succeeded(sent: asyncio.Future[Any]) -> bool:
    return not sent.cancelled() and sent.exception() is None
