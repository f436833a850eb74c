"""
The audit: what the simulator executed against what the topics hold. Pure.

Orders are compared by content and count, since the book knows no event ids: a content that the book holds
n times must have n different event ids in the topic. An event id that is there again is a duplicate, and so
is each one above n. Statistics are compared with the topic: the newest record of a wallet must count each of
its orders once.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.contract.record import decode_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from connector.local.seen import Seen


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `clean` when nothing is missing or double and the statistics agree."""

    executed: int
    """Orders that the simulator executed for watched wallets."""
    published: int
    """Records of the orders topic."""
    missing: int
    duplicates: int
    unknown: int
    """Orders in the topic that the book does not hold."""
    miscounted: dict[str, tuple[int, int]]
    """Wallet -> orders in the topic, orders in its statistics, where they differ."""
    examples: tuple[str, ...]
    """For people: a few of the faults."""

    @property
    def clean(self) -> bool:
        """Whether the book and the topics agree."""
        return not (self.missing or self.duplicates or self.unknown or self.miscounted)


class _Statistics(msgspec.Struct):
    """The part of a wallet's statistics that the audit reads."""

    wallet: str
    partition: int
    as_of_offset: int
    windows: dict[str, dict[str, Any]]
    late: int = 0


_statistics = msgspec.json.Decoder(_Statistics)
_LONGEST = "24h"
_EXAMPLES = 5


def audit(
    book: Iterable[Mapping[str, Any]], orders: Iterable[Seen], statistics: Iterable[Seen], *, watched: Collection[str]
) -> Audit:
    """
    Compare the book's orders (rows as REST gives them) with records of the orders and wallet statistics topics.

    All three must be complete: the market at rest, the topics read to their ends. The orders must be younger
    than the longest window, else the statistics have rightly forgotten them.
    """
    wallets = {wallet.lower() for wallet in watched}
    executed = Counter(content_id(parse_order(row)) for row in book if row["user"].lower() in wallets)
    ids: Counter[str] = Counter()
    owners: dict[str, str] = {}
    for seen in orders:
        order = decode_order(seen.value or b"")
        ids[order.event_id] += 1
        owners[order.event_id] = order.user
    distinct = Counter(event_id.rpartition("-")[0] for event_id in ids)
    missing = executed - distinct
    surplus = Counter({content: count for content, count in (distinct - executed).items() if content in executed})
    unknown = [content for content in distinct if content not in executed]
    again = {event_id: count - 1 for event_id, count in ids.items() if count > 1}
    return Audit(
        executed=executed.total(),
        published=ids.total(),
        missing=missing.total(),
        duplicates=sum(again.values()) + surplus.total(),
        unknown=sum(distinct[content] for content in unknown),
        miscounted=_miscounted(Counter(owners.values()), statistics),
        examples=_examples(missing=missing, duplicate=[*again, *surplus], unknown=unknown),
    )


def caught_up(ends: Mapping[int, int], statistics: Iterable[Seen]) -> bool:
    """Return whether the statistics reach the end (the next offset) of every partition of the orders topic."""
    reached: dict[int, int] = {}
    for seen in statistics:
        if seen.value is not None:
            record = _statistics.decode(seen.value)
            reached[record.partition] = max(record.as_of_offset, reached.get(record.partition, -1))
    return all(reached.get(partition, -1) >= end - 1 for partition, end in ends.items())


def _miscounted(orders: Mapping[str, int], statistics: Iterable[Seen]) -> dict[str, tuple[int, int]]:
    counted: dict[str, tuple[int, int]] = {}
    for seen in statistics:
        if seen.value is None:
            continue
        record = _statistics.decode(seen.value)
        offset, _ = counted.get(record.wallet, (-1, 0))
        if record.as_of_offset >= offset:
            counted[record.wallet] = (record.as_of_offset, record.windows[_LONGEST]["orders"] + record.late)
    pairs = {wallet: (orders.get(wallet, 0), counted.get(wallet, (0, 0))[1]) for wallet in {*orders, *counted}}
    return {wallet: pair for wallet, pair in pairs.items() if pair[0] != pair[1]}


def _examples(**faults: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{kind} {name}" for kind, names in faults.items() for name in list(names)[:_EXAMPLES])
