"""What a run left behind, as plain data: the truth, the topics, and what was done when. Times are unix milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from connector.contract.coverage import CoverageRecord, decode_coverage
from connector.contract.gap import GapRecord, decode_gap
from connector.contract.provenance import read_provenance
from connector.contract.record import DeadRecord, decode_dead, decode_order
from connector.simulator.book import Delivery, Executed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import ConsumerRecord


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `orders.v1`."""

    event_id: str
    wallet: str
    partition: int
    offset: int
    append_ms: int
    source: str
    subscription_id: str | None = None
    gap_id: str | None = None


class Watch(msgspec.Struct, kw_only=True):
    """One spell of a wallet on the watch-list."""

    wallet: str
    added_ms: int
    since_ms: int | None = None
    """Orders from this time on (by their own timestamp) are owed too."""
    live_ms: int | None = None
    """Known to be live from the beginning of the market on; None: coverage tells."""
    removed_ms: int | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done, or happened, during the run."""

    kind: str
    begin_ms: int
    end_ms: int
    replica: str | None = None
    """Whom it concerned; None: all."""
    detail: str = ""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `coverage.v1`."""

    partition: int
    append_ms: int
    record: CoverageRecord


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that the verdict is made from."""

    orders: list[Executed]
    deliveries: list[Delivery]
    published: list[Published]
    """By partition, in order of offsets."""
    coverage: list[Coverage]
    gaps: list[GapRecord]
    dead: list[DeadRecord]
    watches: list[Watch]
    events: list[Event]
    struck: dict[str, int]
    """Fault kind -> times."""
    publishers: dict[int, str] = {}
    """Connection of the simulator -> name of the replica that opened it."""
    statistics: list[str] = []
    """A line for each statistic or alert that is wrong."""


def published(records: Iterable[ConsumerRecord]) -> list[Published]:
    """Decode `orders.v1`."""
    found = []
    for record in records:
        order, origin = decode_order(record.value), read_provenance(record.headers)
        found.append(
            Published(
                event_id=order.event_id,
                wallet=order.user,
                partition=record.partition,
                offset=record.offset,
                append_ms=record.timestamp,
                source=origin.source,
                subscription_id=origin.subscription_id,
                gap_id=origin.gap_id,
            )
        )
    return found


def coverage(records: Iterable[ConsumerRecord]) -> list[Coverage]:
    """Decode `coverage.v1`, tombstones left out."""
    return [
        Coverage(partition=record.partition, append_ms=record.timestamp, record=decode_coverage(record.value))
        for record in records
        if record.value
    ]


def gaps(records: Iterable[ConsumerRecord]) -> list[GapRecord]:
    """Decode `gaps.v1`."""
    return [decode_gap(record.value) for record in records]


def dead(records: Iterable[ConsumerRecord]) -> list[DeadRecord]:
    """Decode `orders-dead.v1`."""
    return [decode_dead(record.value) for record in records]
