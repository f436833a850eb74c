"""
What each agent does with one record: decode, fold, and say what has to be sent. Pure.

A record that cannot be decoded becomes a dead letter and counts as absorbed; any other error is a
defect and is not caught here.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from connector.contract.errors import InvalidRecord
from connector.contract.keys import market_key, wallet_key
from connector.contract.record import DeadRecord, decode_order
from connector.contract.record import encode as encode_contract
from connector.contract.topics import ORDERS, ORDERS_DEAD
from streams.records import encode, origin_headers, read_origin
from streams.stats.market import MarketState
from streams.stats.wallet import WalletState
from streams.topics import ALERTS, MARKET_STATE, MARKET_STATS, ORDERS_BY_MARKET, WALLET_STATE, WALLET_STATS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connector.contract.record import OrderRecord
    from streams.fold import MarketFold, WalletFold
    from streams.records import Alert
    from streams.shards.live import Live

Headers = list[tuple[str, bytes]]
Item = tuple[bytes, bytes, Headers]
"""Key, value, headers."""


class LogRecord(Protocol):
    """What is read of a Kafka record."""

    @property
    def topic(self) -> str:
        """Name of the topic."""

    @property
    def partition(self) -> int:
        """Partition it lies in."""

    @property
    def offset(self) -> int:
        """Offset in the partition."""

    @property
    def timestamp(self) -> int:
        """Append time, unix milliseconds."""

    @property
    def key(self) -> bytes | None:
        """Key bytes."""

    @property
    def value(self) -> bytes | None:
        """Value bytes; None is a tombstone."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Headers in order."""


class Output(NamedTuple):
    """A record for the partition of its key."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers


class Effects:
    """What folding wants sent: urgent records one by one, bulk by topic and partition, each in order."""

    def __init__(self, admitted_ns: int) -> None:
        self.admitted_ns = admitted_ns
        """When the worker took the records, unix nanoseconds."""
        self.urgent: list[Output] = []
        self.bulk: dict[tuple[str, int], list[Item]] = defaultdict(list)

    def take_urgent(self) -> list[Output]:
        """Return the urgent records and forget them."""
        urgent, self.urgent = self.urgent, []
        return urgent

    def take_bulk(self) -> dict[tuple[str, int], list[Item]]:
        """Return the bulk records and forget them."""
        bulk, self.bulk = self.bulk, defaultdict(list)
        return bulk


V = TypeVar("V")


class Job(Protocol[V]):
    """The pure half of an agent."""

    source_topic: str
    state_topic: str
    statistics_topic: str

    def decode_state(self, value: bytes) -> V:
        """Read one value of the state topic."""

    def absorb(self, live: Live[V], record: LogRecord, effects: Effects) -> None:  # type: ignore[type-var]
        """Fold one record into the live state."""

    def statistics(self, live: Live[V], subject: str, at: int) -> Item:  # type: ignore[type-var]
        """Return the statistics record of a subject at `at` (ms)."""


class Topics:
    """Names of this deployment's topics."""

    def __init__(self, prefix: str, source: str = "") -> None:
        self.orders = source or prefix + ORDERS.name
        self.dead = prefix + ORDERS_DEAD.name
        self.orders_by_market = prefix + ORDERS_BY_MARKET.name
        self.wallet_state = prefix + WALLET_STATE.name
        self.wallet_stats = prefix + WALLET_STATS.name
        self.market_state = prefix + MARKET_STATE.name
        self.market_stats = prefix + MARKET_STATS.name
        self.alerts = prefix + ALERTS.name


class WalletJob:
    """Orders of a wallet partition: wallet statistics, alerts, and the orders again by market."""

    def __init__(self, fold: WalletFold, topics: Topics, market_partition: Callable[[bytes], int]) -> None:
        self._fold = fold
        self._topics = topics
        self._market_partition = market_partition
        self.source_topic = topics.orders
        self.state_topic = topics.wallet_state
        self.statistics_topic = topics.wallet_stats

    def decode_state(self, value: bytes) -> WalletState:
        """Read one value of the wallet state topic."""
        return WalletState.decode(value)

    def absorb(self, live: Live[WalletState], record: LogRecord, effects: Effects) -> None:
        """Fold one order; forward it to its market."""
        clock = live.observe(record.timestamp)
        try:
            order = _order_of(record)
            step = self._fold.step(
                live.values.get(order.user),
                order,
                partition=record.partition,
                offset=record.offset,
                clock=clock,
                source=_source(record),
            )
        except InvalidRecord as error:
            effects.urgent.append(_dead_letter(self._topics.dead, record, error, effects.admitted_ns))
            return
        live.values[order.user] = step.state
        live.touch(order.user)
        effects.urgent += [_alert(self._topics.alerts, alert, record, effects.admitted_ns) for alert in step.alerts]
        if step.forward and order.condition_id is not None and record.value is not None:
            key = market_key(order.condition_id)
            headers = [*record.headers, *origin_headers(record.partition, record.offset)]
            target = (self._topics.orders_by_market, self._market_partition(key))
            effects.bulk[target].append((key, record.value, headers))

    def statistics(self, live: Live[WalletState], subject: str, at: int) -> Item:
        """Return the wallet's statistics record."""
        record = self._fold.stats(
            subject, live.values[subject], at=at, as_of_offset=live.offset, partition=live.partition
        )
        return wallet_key(subject), encode(record), []


class MarketJob:
    """Orders of a market partition: market statistics and alerts."""

    def __init__(self, fold: MarketFold, topics: Topics) -> None:
        self._fold = fold
        self._topics = topics
        self.source_topic = topics.orders_by_market
        self.state_topic = topics.market_state
        self.statistics_topic = topics.market_stats

    def decode_state(self, value: bytes) -> MarketState:
        """Read one value of the market state topic."""
        return MarketState.decode(value)

    def absorb(self, live: Live[MarketState], record: LogRecord, effects: Effects) -> None:
        """Fold one order into its market."""
        clock = live.observe(record.timestamp)
        try:
            order = _order_of(record)
            market = _market_of(order)
            step = self._fold.step(
                live.values.get(market), order, origin=read_origin(record.headers), clock=clock, source=_source(record)
            )
        except InvalidRecord as error:
            effects.urgent.append(_dead_letter(self._topics.dead, record, error, effects.admitted_ns))
            return
        live.values[market] = step.state
        live.touch(market)
        effects.urgent += [_alert(self._topics.alerts, alert, record, effects.admitted_ns) for alert in step.alerts]

    def statistics(self, live: Live[MarketState], subject: str, at: int) -> Item:
        """Return the market's statistics record."""
        record = self._fold.stats(
            subject, live.values[subject], at=at, as_of_offset=live.offset, partition=live.partition
        )
        return market_key(subject), encode(record), []


def _order_of(record: LogRecord) -> OrderRecord:
    if record.value is None:
        raise InvalidRecord("a tombstone where an order was expected")
    return decode_order(record.value)


def _market_of(order: OrderRecord) -> str:
    if order.condition_id is None:
        raise InvalidRecord("condition_id: missing in an order forwarded by market")
    return order.condition_id


def _source(record: LogRecord) -> str:
    for name, value in record.headers:
        if name == "source":
            return value.decode("ascii", "replace")
    return "unknown"


def _alert(topic: str, alert: Alert, record: LogRecord, admitted_ns: int) -> Output:
    """Pass the order's waterfall on: its times under its own names, the worker's beside them."""
    headers = [(f"order_{name}" if name == "published_ns" else name, value) for name, value in record.headers]
    headers.append(("admitted_ns", b"%d" % admitted_ns))
    return Output(topic, alert.fingerprint.encode(), encode(alert), headers)


def _dead_letter(topic: str, record: LogRecord, error: InvalidRecord, admitted_ns: int) -> Output:
    letter = DeadRecord(
        reason="bad-record",
        detail=str(error),
        raw=base64.b64encode(record.value or b"").decode("ascii"),
        origin=f"{record.topic}/{record.partition}/{record.offset}",
        received_ns=admitted_ns,
    )
    return Output(topic, record.key, encode_contract(letter), list(record.headers))
