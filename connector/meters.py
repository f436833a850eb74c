"""What happens to orders and sockets, counted on metrics whose children were looked up beforehand. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.metrics import ENDS

if TYPE_CHECKING:
    from connector.contract.order import Order
    from connector.contract.provenance import Provenance
    from connector.metrics import Orders, Sockets

_NS = 1e-9


class OrderMeter:
    """
    Counts and times orders: of an order on the way only its delay, the rest when Kafka has it.

    Differences of the wall clock are taken as 0 where it was set back.
    """

    def __init__(self, orders: Orders) -> None:
        self._published = orders.published
        self._wire = orders.published.labels("ws")
        self._wire_to_kafka = orders.wire_to_kafka.labels("ws")
        self._decide = orders.stage.labels("decide")
        self._acknowledge = orders.stage.labels("acknowledge")
        self._delay = orders.provider_delay.labels()

    def acknowledged(self, provenance: Provenance, handed_ns: int, now_ns: int) -> None:
        """Count an order that Kafka acknowledged now."""
        if provenance.source != "ws":
            self._published.labels(provenance.source).inc()
            return
        self._wire.inc()
        self._wire_to_kafka.observe(max(now_ns - provenance.received_ns, 0) * _NS)
        self._decide.observe(max(handed_ns - provenance.received_ns, 0) * _NS)
        self._acknowledge.observe(max(now_ns - handed_ns, 0) * _NS)

    def new(self, order: Order, provenance: Provenance) -> None:
        """Note how long a new order was under way to us."""
        self._delay.observe(max(provenance.received_ns * _NS - order.timestamp, 0.0))


class SocketMeter:
    """Counts what happens to one socket."""

    def __init__(self, sockets: Sockets, name: str) -> None:
        self.frames = sockets.frames.labels(name)
        self.connections = sockets.connections.labels(name)
        self.failures = sockets.failures.labels(name)
        self.ends = {cause: sockets.disconnects.labels(name, cause) for cause in ENDS}
