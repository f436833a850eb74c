"""
The connector's metrics: this catalogue is their documentation.

Names begin with `walletstream_connector_`, units are base units (seconds, records), counters end in `_total`. A label's
values are few and known beforehand: causes, reasons, names of sockets; never a wallet, a market or anything a
provider sends. Counters and histograms are fed by shells as things happen; gauges are read from the state that is
there anyway, when somebody scrapes.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, get_args

from prometheus_client import CollectorRegistry

from connector.contract.gap import Cause
from connector.process.catalogue import BeforeScrape, Make

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACE = "walletstream_connector"

_LATENCY = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DELAY = (1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600)
_WAIT = (0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60)
_SOURCES = ("ws", "backfill")
_LATER: tuple[str, ...] = ()
"""Values that are known when the process has its settings, or of which there is a fixed set in other modules."""
ENDS = ("disconnect", "silence", "refused", "unwanted")
"""Why connections end."""


class Metrics:
    """All metrics of one connector, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._before = BeforeScrape()
        self.registry.register(self._before)  # first, so that it runs before the gauges are read
        make = Make(NAMESPACE, self.registry)
        self.orders = Orders(make)
        self.sockets = Sockets(make)
        self.coverage = Coverage(make)
        self.rest = Rest(make)
        self.group = Group(make)
        self.audit = Audit(make)
        make.info("build", "The version that runs.").info({"version": _version()})

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """Have gauges set from the state that is there, whenever the registry is read."""
        self._before.calls.append(refresh)


class Orders:
    """From the socket to Kafka."""

    def __init__(self, make: Make) -> None:
        self.published = make.counts(
            "orders_total", "Orders acknowledged by Kafka, by source: ws or backfill.", source=_SOURCES
        )
        self.duplicates = make.counts(
            "duplicates_total", "Deliveries of what was published before, by source: ws or backfill.", source=_SOURCES
        )
        self.foreign = make.counter(
            "foreign_orders_total", "Orders that others published to our partitions, after an unclean end of ownership."
        )
        self.dead = make.counter(
            "dead_letters_total", "Frames and rows that could not be read, by reason.", reason=_LATER
        )
        self.wire_to_kafka = make.distributions(
            "wire_to_kafka_seconds",
            "From a frame's arrival to Kafka's acknowledgement of its order, by source: ws.",
            _LATENCY,
            source=("ws",),
        )
        self.stage = make.distributions(
            "stage_seconds",
            "Parts of wire_to_kafka_seconds, by stage: decide (arrived until handed to the producer), acknowledge.",
            _LATENCY,
            stage=("decide", "acknowledge"),
        )
        self.provider_delay = make.distributions(
            "provider_delay_seconds",
            "From an order's own time to its arrival by a socket; the provider tells whole seconds.",
            _DELAY,
        )
        self.unacknowledged = make.gauge("unacknowledged_records", "Records that Kafka has yet to acknowledge.")
        self.queue_limit = make.gauge(
            "queue_limit_records", "Unacknowledged records at which reading pauses (QUEUE_SIZE)."
        )


class Sockets:
    """The provider's WebSockets; one is named by its side (primary, mirror) and the number of its key."""

    def __init__(self, make: Make) -> None:
        self.frames = make.counts("frames_total", "Frames received, by socket.", socket=_LATER)
        self.connected = make.gauge("connected", "Whether the socket is connected: 1 or 0.", socket=_LATER)
        self.subscriptions = make.gauge("subscriptions", "Subscriptions that the provider confirmed.", socket=_LATER)
        self.connections = make.counter("connections_total", "Connections made, by socket.", socket=_LATER)
        self.failures = make.counter(
            "connect_failures_total", "Attempts to connect that failed, by socket.", socket=_LATER
        )
        self.disconnects = make.counter(
            "disconnects_total",
            "Connections that ended, by cause: disconnect, silence (half open), refused (the key), unwanted (by us).",
            socket=_LATER,
            cause=ENDS,
        )
        self.clock_offset = make.gauge("clock_offset_seconds", "The provider's clock minus ours, in seconds.")


class Coverage:
    """What is complete of the wallets that this replica owns, and what is being repaired."""

    def __init__(self, make: Make) -> None:
        self.wallets = make.gauge(
            "wallets",
            "Wallets to watch, by state: live, not_live, no_room (in the quota), refused (by the provider).",
            state=("live", "not_live", "no_room", "refused"),
        )
        self.lag = make.gauge(
            "coverage_lag_seconds", "Largest of now - covered_until over our wallets, in seconds; 0: no wallet."
        )
        self.gaps_open = make.gauge("gaps_open", "Gaps of our wallets that are under repair.")
        self.oldest_gap = make.gauge(
            "gap_oldest_age_seconds", "Seconds since the oldest open gap was opened or taken over; 0: none is."
        )
        self.gaps = make.counter("gaps_total", "Gaps opened or taken over, by cause.", cause=get_args(Cause))
        self.gaps_closed = make.counter(
            "gaps_closed_total", "Gaps ended, by outcome: closed, unrecoverable.", outcome=("closed", "unrecoverable")
        )
        self.recovered = make.counter(
            "recovered_orders_total", "Orders published that REST had and no socket had brought."
        )


class Rest:
    """The provider's REST, which repairs and audits ask."""

    def __init__(self, make: Make) -> None:
        self.requests = make.counter(
            "rest_requests_total",
            "Requests, by outcome: ok, rate, server, timeout, network, auth, bad-request, bad-body.",
            outcome=("ok", "rate", "server", "timeout", "network", "auth", "bad-request", "bad-body"),
        )
        self.wait = make.histogram("rest_wait_seconds", "Seconds that a request waited for room in its quota.", _WAIT)


class Group:
    """The group that shares out the wallets among replicas, by partitions of the watch-list."""

    def __init__(self, make: Make) -> None:
        self.partitions = make.gauge("partitions", "Partitions that this replica owns.")
        self.lease = make.gauge("lease_held", "Whether Kafka confirmed lately that they are ours: 1 or 0.")
        self.handovers = make.counter(
            "handovers_total", "Partitions that came from or went to another replica, since the first assignment."
        )


class Audit:
    """The audit: samples of REST held against `orders.v1` itself; found / (found + missing) is the completeness."""

    def __init__(self, make: Make) -> None:
        self.orders = make.counter(
            "audit_orders_total",
            "Orders of REST that were looked for in the topic, by result: found, missing.",
            result=("found", "missing"),
        )
        self.audits = make.counter(
            "audits_total",
            "Audits, by outcome: complete, incomplete (an order is missing), failed (nothing could be compared).",
            outcome=("complete", "incomplete", "failed"),
        )
        self.age = make.gauge(
            "audit_age_seconds", "Seconds since the last comparison; 0: audits are off, or there is nothing to audit."
        )


def _version() -> str:
    try:
        return version("walletstream")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "unknown"


UNREAD = Metrics()
"""What parts count on whose metrics nobody reads."""
