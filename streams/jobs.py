"""
What each agent does with one record: decode, fold, and say what has to be sent. Pure.

A record that cannot be decoded becomes a dead letter and counts as absorbed; any other error is a
defect and is not caught here.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from connector.contract.checks import MAX_SHARES
from connector.contract.errors import InvalidRecord
from connector.contract.keys import market_key, wallet_key
from connector.contract.record import MAX_RAW, DeadRecord, OrderRecord, decode_order
from connector.contract.record import encode as encode_contract
from streams.effects import Effects, Headers, Item, LogRecord, Output, Topics
from streams.records import Alert, encode, origin_headers, read_origin
from streams.shards.live import Live, Value
from streams.stats.market import MarketState
from streams.stats.wallet import WalletState

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.fold import MarketFold, WalletFold

V = TypeVar("V", bound=Value)

DEAD_DETAIL_CHARACTERS = 2_000
"""Most of what is said about a bad record, since that may quote it."""

DEAD_AROUND_BYTES = 64 * 1024
"""Most of a bad record's key and headers together that its dead letter keeps."""


class Folded(NamedTuple, Generic[V]):
    """What folding an order did, whatever the scope."""

    subject: str
    state: V
    alerts: list[Alert]
    forward: tuple[tuple[str, int], Item] | None = None
    """Topic and partition that have to hear of it, and what."""


class Job(ABC, Generic[V]):
    """The pure half of an agent."""

    source_topic: str
    state_topic: str
    statistics_topic: str

    def __init__(self, topics: Topics) -> None:
        self._topics = topics

    @abstractmethod
    def decode_state(self, value: bytes) -> V:
        """Read one value of the state topic."""

    @abstractmethod
    def statistics(self, live: Live[V], subject: str, at: int) -> Item:
        """Return the statistics record of a subject at `at` (ms)."""

    @abstractmethod
    def _fold(self, live: Live[V], order: OrderRecord, record: LogRecord, clock: int) -> Folded[V]:
        """Fold one order; raises `InvalidRecord` and leaves the state as it was."""

    def absorb(self, live: Live[V], record: LogRecord, effects: Effects) -> None:
        """Fold one record into the live state."""
        clock = live.observe(record.timestamp)
        try:
            folded = self._fold(live, _order_of(record), record, clock)
        except InvalidRecord as error:
            effects.urgent.append(_dead_letter(self._topics.dead, record, error, effects.admitted_ns))
            return
        live.values[folded.subject] = folded.state
        live.touch(folded.subject)
        for alert in folded.alerts:
            effects.urgent.append(_alert(self._topics.alerts, alert, record, effects.admitted_ns))
        if folded.forward is not None:
            target, item = folded.forward
            effects.bulk[target].append(item)


class WalletJob(Job[WalletState]):
    """Orders of a wallet partition: wallet statistics, alerts, and the orders again by market."""

    def __init__(self, fold: WalletFold, topics: Topics, market_partition: Callable[[bytes], int]) -> None:
        super().__init__(topics)
        self._step = fold
        self._market_partition = market_partition
        self.source_topic = topics.orders
        self.state_topic = topics.wallet_state
        self.statistics_topic = topics.wallet_stats

    def decode_state(self, value: bytes) -> WalletState:
        """Read one value of the wallet state topic."""
        return WalletState.decode(value)

    def statistics(self, live: Live[WalletState], subject: str, at: int) -> Item:
        """Return the wallet's statistics record."""
        state = live.values[subject]
        stats = self._step.stats(subject, state, at=at, as_of_offset=live.offset, partition=live.partition)
        return wallet_key(subject), encode(stats), []

    def _fold(self, live: Live[WalletState], order: OrderRecord, record: LogRecord, clock: int) -> Folded[WalletState]:
        _require_key(record, wallet_key(order.user))
        step = self._step.step(
            live.values.get(order.user),
            order,
            partition=record.partition,
            offset=record.offset,
            clock=clock,
            source=_source(record),
        )
        forward = self._by_market(order.condition_id, record) if step.forward and order.condition_id else None
        return Folded(order.user, step.state, step.alerts, forward)

    def _by_market(self, market: str, record: LogRecord) -> tuple[tuple[str, int], Item]:
        key = market_key(market)
        headers = [*_headers(record), *origin_headers(record.partition, record.offset)]
        return (self._topics.orders_by_market, self._market_partition(key)), (key, record.value, headers)


class MarketJob(Job[MarketState]):
    """Orders of a market partition: market statistics and alerts."""

    def __init__(self, fold: MarketFold, topics: Topics) -> None:
        super().__init__(topics)
        self._step = fold
        self.source_topic = topics.orders_by_market
        self.state_topic = topics.market_state
        self.statistics_topic = topics.market_stats

    def decode_state(self, value: bytes) -> MarketState:
        """Read one value of the market state topic."""
        return MarketState.decode(value)

    def statistics(self, live: Live[MarketState], subject: str, at: int) -> Item:
        """Return the market's statistics record."""
        state = live.values[subject]
        stats = self._step.stats(subject, state, at=at, as_of_offset=live.offset, partition=live.partition)
        return market_key(subject), encode(stats), []

    def _fold(self, live: Live[MarketState], order: OrderRecord, record: LogRecord, clock: int) -> Folded[MarketState]:
        market = order.condition_id
        if market is None:
            raise InvalidRecord("condition_id: missing in an order forwarded by market")
        _require_key(record, market_key(market))
        origin = read_origin(record.headers)
        step = self._step.step(live.values.get(market), order, origin=origin, clock=clock, source=_source(record))
        return Folded(market, step.state, step.alerts)


def _order_of(record: LogRecord) -> OrderRecord:
    """Decode, within the limits that the connector keeps: state cannot hold sums of larger numbers."""
    if record.value is None:
        raise InvalidRecord("a tombstone where an order was expected")
    order = decode_order(record.value)
    if (
        1 <= order.shares <= MAX_SHARES
        and 0 <= order.notional_micros <= MAX_SHARES
        and 0 <= order.timestamp <= MAX_SHARES
    ):
        return order
    raise _beyond_limits(order)


def _beyond_limits(order: OrderRecord) -> InvalidRecord:
    for field, value, least in (("shares", order.shares, 1), ("notional_micros", order.notional_micros, 0)):
        if not least <= value <= MAX_SHARES:
            return InvalidRecord(f"{field}: expected {least} to {MAX_SHARES}, got {value}")
    return InvalidRecord(f"timestamp: expected 0 to {MAX_SHARES}, got {order.timestamp}")


def _headers(record: LogRecord) -> Headers:
    return [(name, value) for name, value in record.headers if value is not None]


def _require_key(record: LogRecord, key: bytes) -> None:
    """A record under another key lies in a partition whose state knows nothing of its subject."""
    if record.key != key:
        raise InvalidRecord(f"key: expected {key!r}, found {record.key!r}")


def _source(record: LogRecord) -> str:
    for name, value in record.headers:
        if name == "source" and value is not None:
            return value.decode("ascii", "replace")
    return "unknown"


def _alert(topic: str, alert: Alert, record: LogRecord, admitted_ns: int) -> Output:
    """Pass the order's waterfall on: its times under its own names, the worker's beside them."""
    headers = [(f"order_{name}" if name == "published_ns" else name, value) for name, value in _headers(record)]
    headers.append(("admitted_ns", b"%d" % admitted_ns))
    return Output(topic, alert.fingerprint.encode(), encode(alert), headers)


def _dead_letter(topic: str, record: LogRecord, error: InvalidRecord, admitted_ns: int) -> Output:
    """Return a letter that Kafka takes whatever the record's size is; `origin` says where the whole of it lies."""
    raw = record.value or b""
    letter = DeadRecord(
        reason="bad-record",
        detail=str(error)[:DEAD_DETAIL_CHARACTERS],
        raw=base64.b64encode(raw[:MAX_RAW]).decode("ascii"),
        size=len(raw) if len(raw) > MAX_RAW else None,
        origin=f"{record.topic}/{record.partition}/{record.offset}",
        received_ns=admitted_ns,
    )
    headers = _headers(record)
    around = len(record.key or b"") + sum(len(name) + len(value) for name, value in headers)
    if around > DEAD_AROUND_BYTES:
        return Output(topic, None, encode_contract(letter), [])
    return Output(topic, record.key, encode_contract(letter), headers)
