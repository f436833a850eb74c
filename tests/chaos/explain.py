"""What is known of one order: its deliveries, REST, the gaps and the owner at its time. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.chaos.owed import executed_ms
from tests.chaos.owners import Owners

if TYPE_CHECKING:
    from connector.contract.gap import GapRecord
    from connector.simulator.book import Delivery, Executed
    from tests.chaos.evidence import Evidence

_NEAR_MS = 10_000
_MARGIN_MS = 2_500
"""A gap's times are by a clock that is known to the second, an order's are its block's."""


class Explainer:
    """Indexes over the evidence, to tell one order's story."""

    def __init__(self, evidence: Evidence) -> None:
        self._owners = Owners(evidence)
        self._events = [event for event in evidence.events if event.kind != "watch"]
        self._deliveries: defaultdict[int, list[Delivery]] = defaultdict(list)
        for delivery in evidence.deliveries:
            self._deliveries[delivery.order].append(delivery)
        self._gaps: defaultdict[str, dict[str, GapRecord]] = defaultdict(dict)
        for gap in evidence.gaps:
            self._gaps[gap.wallet][gap.gap_id] = gap
        self._partitions = {each.record.wallet: each.partition for each in evidence.coverage}

    def on_record(self, order: Executed) -> bool:
        """Return whether a gap of the order's wallet covers its time."""
        return any(True for _ in self._around(order))

    def without_trace(self, order: Executed) -> bool:
        """Return whether every socket that should have brought the order lost it silently."""
        deliveries = self._deliveries[order.seq]
        return bool(deliveries) and all(delivery.fault == "lose_event" for delivery in deliveries)

    def order(self, content: str, order: Executed) -> str:
        """Return the order's story in one line."""
        at_ms = executed_ms(order)
        deliveries = ", ".join(
            f"connection {each.connection} {'reached' if each.reached else 'not reached'}"
            f"{f' ({each.fault})' if each.fault else ''} +{each.at_ns // 1_000_000 - at_ms} ms"
            for each in self._deliveries[order.seq]
        )
        rest = "never" if order.withheld else f"from +{order.rest_ns // 1_000_000 - at_ms} ms"
        partition = self._partitions.get(order.user, -1)
        gaps = ", ".join(
            f"{gap.gap_id} {gap.cause} {gap.state} [{gap.start_ms - at_ms:+d}, {(gap.end_ms or 0) - at_ms:+d}] ms"
            for gap in self._around(order)
        )
        near = ", ".join(
            f"{event.kind} {event.replica or ''} {event.begin_ms - at_ms:+d} ms"
            for event in self._events
            if event.begin_ms - _NEAR_MS <= at_ms <= event.end_ms + _NEAR_MS
        )
        return (
            f"order {order.seq} ({content}) of {order.user}, partition {partition}, executed at {at_ms},"
            f" timestamp {order.timestamp}: delivered {deliveries or 'to nobody'}; in REST {rest};"
            f" owner {self._owners.at(partition, at_ms)}; gaps {gaps or 'none'}; near: {near or 'nothing'}"
        )

    def _around(self, order: Executed) -> list[GapRecord]:
        at_ms = executed_ms(order)
        return [
            gap
            for gap in self._gaps[order.user].values()
            if gap.start_ms - _MARGIN_MS <= at_ms and (gap.end_ms is None or at_ms <= gap.end_ms + _MARGIN_MS)
        ]
