"""From delivered frames and REST rows to records for Kafka: read, check, decide, encode. Pure; keeps counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import orjson

from connector.contract.errors import InvalidOrder
from connector.contract.identity import content_id, event_id
from connector.contract.keys import wallet_key
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import dead_record, encode, order_record
from connector.contract.topics import ORDERS, ORDERS_DEAD, TopicSpec
from connector.fills import Verdict
from connector.process.mask import Mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from connector.commands import Bury, Deliver
    from connector.contract.order import Order
    from connector.dedupe import Memory

_ROWS = 1024
"""Invalid REST rows remembered: every pass over the same interval brings them again."""


class Outgoing(msgspec.Struct, frozen=True):
    """A record to publish."""

    topic: TopicSpec
    key: bytes | None
    value: bytes | None
    """None: a tombstone."""
    provenance: Provenance | None
    """None where it is not an order or what should have been one."""
    fault: str | None = None
    """Of a dead letter: its reason and detail."""
    reason: str = ""
    """Of a dead letter: the stable code alone."""
    partition: int | None = None
    """Where it is known already; None: the partitioner's choice."""
    event_id: str | None = None
    """Of an order."""


class Unsettled(msgspec.Struct, frozen=True):
    """A delivery that may be a new fill or a known one; REST has to tell."""

    wallet: str
    timestamp: int
    """Unix seconds of the execution."""
    cause: Literal["twin", "old-order"]


class Rows(NamedTuple):
    """What became of the rows of a REST page."""

    fresh: list[Outgoing]
    known: int
    """Published before, or listed twice."""
    forgotten: int
    """Older than the memory of their wallet, so not decided: deepen it and ask again."""


class Intake:
    """
    Decides what becomes of each frame and each row.

    Call it in order of arrival, and publish what it returns at once and in that order: what it
    has decided on counts as seen.

    `counts` holds numbers by outcome: `orders` and `duplicates` of sockets, `backfilled` rows,
    `twin` and `old-order` of what was unsettled, and the reasons of dead letters.

    Args:
        secrets: The API keys, masked in dead letters: a provider's error may quote one.
    """

    def __init__(self, *, secrets: Sequence[str] = ()) -> None:
        self._mask = Mask(secrets)
        self._bad_rows: dict[bytes, None] = {}
        self.counts: Counter[str] = Counter()

    def parse(self, delivery: Deliver) -> Order | Outgoing:
        """Return the order, or its dead letter."""
        try:
            return parse_order(delivery.data)
        except InvalidOrder as error:
            return self._dead(delivery.raw, delivery.provenance, "invalid-order", error.reason, error.field)

    def decide(
        self,
        order: Order,
        delivery: Deliver,
        memory: Memory,
        now_ms: int,
        *,
        partition: int | None = None,
        gap_id: str | None = None,
        label: str | None = None,
    ) -> Outgoing | Unsettled | None:
        """
        Return the order's record, None for a duplicate, or that REST has to tell which.

        Args:
            order: As `parse` returned it for this delivery.
            delivery: Of a socket.
            memory: Of the order's partition.
            now_ms: The time, by the clock of the memory.
            partition: Of `orders.v1`.
            gap_id: The wallet's open gap, if there is one.
            label: The wallet's on the watch-list.
        """
        content = content_id(order)
        if not memory.reaches(order.user, order.timestamp) and content not in memory:
            return self._unsettled(order, "old-order")
        decision = memory.decide(content, delivery.channel, order.log_index, now_ms)
        if decision.verdict is Verdict.DUPLICATE:
            self.counts["duplicates"] += 1
            return None
        if decision.verdict is Verdict.UNSETTLED:
            return self._unsettled(order, "twin")
        self.counts["orders"] += 1
        provenance = delivery.provenance
        if gap_id is not None or label is not None:
            provenance = msgspec.structs.replace(provenance, gap_id=gap_id, label=label)
        return _outgoing(order, content, decision.occurrence, provenance, partition)

    def rows(
        self,
        orders: Sequence[Order],
        memory: Memory,
        provenance: Provenance,
        now_ms: int,
        *,
        partition: int | None = None,
    ) -> Rows:
        """
        Return the records of those orders of one REST page that are not published yet, oldest first.

        Args:
            orders: Of one page and one wallet, newest first as REST sends them.
            memory: Of the wallet's partition.
            provenance: Of the page.
            now_ms: The time, by the clock of the memory.
            partition: Of `orders.v1`.
        """
        contents: dict[str, list[Order]] = {}
        forgotten = 0
        oldest_first = list(reversed(orders))
        oldest_first.sort(key=_age)  # stable: what nothing tells apart keeps the order of the page
        for order in oldest_first:
            content = content_id(order)
            if memory.reaches(order.user, order.timestamp) or content in memory:
                contents.setdefault(content, []).append(order)
            else:
                forgotten += 1
        fresh: list[tuple[Order, str, int]] = []
        for content, listed in contents.items():
            reconciled = memory.reconcile(content, [order.log_index for order in listed], now_ms)
            fresh += [(listed[position], content, occurrence) for position, occurrence in reconciled.fresh]
        self.counts["backfilled"] += len(fresh)
        fresh.sort(key=lambda each: _age(each[0]))
        records = [_outgoing(*each, provenance, partition) for each in fresh]
        return Rows(records, len(orders) - forgotten - len(records), forgotten)

    def dead(self, letter: Bury) -> Outgoing:
        """Return the dead letter of a frame that could not be read."""
        return self._dead(letter.raw, letter.provenance, letter.reason, letter.detail)

    def row_dead(self, row: Mapping[str, Any], error: InvalidOrder, provenance: Provenance) -> Outgoing | None:
        """Return the dead letter of an invalid REST row, or None if this row had one lately."""
        raw = orjson.dumps(row)
        if raw in self._bad_rows:
            return None
        self._bad_rows[raw] = None
        if len(self._bad_rows) > _ROWS:
            del self._bad_rows[next(iter(self._bad_rows))]
        return self._dead(raw, provenance, "invalid-order", error.reason, error.field)

    def _unsettled(self, order: Order, cause: Literal["twin", "old-order"]) -> Unsettled:
        self.counts[cause] += 1
        return Unsettled(order.user, order.timestamp, cause)

    def _dead(self, raw: bytes, provenance: Provenance, reason: str, detail: str, field: str | None = None) -> Outgoing:
        self.counts[reason] += 1
        detail = self._mask.text(detail)
        record = dead_record(self._mask.raw(raw), reason=reason, detail=detail, field=field, provenance=provenance)
        fault = ": ".join(part for part in (reason, field, detail) if part)
        return Outgoing(ORDERS_DEAD, None, encode(record), provenance, fault, reason)


def _outgoing(order: Order, content: str, occurrence: int, provenance: Provenance, partition: int | None) -> Outgoing:
    value = encode(order_record(order, content, occurrence))
    return Outgoing(
        ORDERS, wallet_key(order.user), value, provenance, partition=partition, event_id=event_id(content, occurrence)
    )


def _age(order: Order) -> tuple[int, int, int]:
    """Return the order's place on the chain; one timestamp per block, so it also places rows without a block."""
    return order.timestamp, order.block_number or 0, order.log_index or 0
