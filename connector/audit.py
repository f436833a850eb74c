"""
The audit: does `orders.v1` hold what REST shows of a wallet, where coverage claims that it is complete. Pure.

It asks the topic itself, never the memory of what was published: so it finds also what a fault of ours, or of Kafka,
lost after it was decided on. Times are unix milliseconds by the provider's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connector.contract.identity import content_id, event_id
from connector.fills import Fills

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from connector.contract.coverage import CoverageRecord
    from connector.contract.order import Order

_SECOND_MS = 1000


class Compared(NamedTuple):
    """What a comparison found."""

    found: int
    """Orders of REST that are in the topic."""
    missing: dict[str, Order]
    """Those that are not, by event id."""


def span(
    checkpoint: CoverageRecord, floor_ms: int, now_ms: int, *, settle_ms: int, overlap_ms: int
) -> tuple[int, int] | None:
    """
    Return the interval of executions that may be audited; None: there is nothing to audit yet.

    Args:
        checkpoint: What is claimed of the wallet.
        floor_ms: Everything executed from then on would have been seen in the topic, if it was published.
        now_ms: The time now.
        settle_ms: REST may show an order this late.
        overlap_ms: A socket may bring an order this late.
    """
    if checkpoint.since_ms is None:
        return None  # what was wanted is not known
    start_ms = -(-max(checkpoint.since_ms, floor_ms) // _SECOND_MS) * _SECOND_MS  # orders tell whole seconds
    end_ms = min(checkpoint.covered_until_ms, now_ms - settle_ms) - overlap_ms
    return (start_ms, end_ms) if end_ms - start_ms >= _SECOND_MS else None


def sampled(interval: tuple[int, int], uniform: float) -> tuple[int, int]:
    """Return the part of an interval to ask REST for, newest first: up to a moment that `uniform` in [0, 1) chooses."""
    start_ms, end_ms = interval
    return start_ms, start_ms + _SECOND_MS + int(uniform * (end_ms - start_ms - _SECOND_MS))


def compared(orders: Iterable[Order], held: Collection[str], interval: tuple[int, int]) -> Compared:
    """
    Hold the orders of one REST page against the event ids that the topic holds of their wallet.

    Equal fills in one page are counted as whoever publishes them does. What REST does not show says nothing.
    """
    contents: dict[str, list[Order]] = {}
    for order in orders:
        if interval[0] <= order.timestamp * _SECOND_MS <= interval[1]:
            contents.setdefault(content_id(order), []).append(order)
    owed: dict[str, Order] = {}
    for content, listed in contents.items():
        for position, occurrence in Fills().listed([order.log_index for order in listed]):
            owed[event_id(content, occurrence)] = listed[position]
    missing = {event: order for event, order in owed.items() if event not in held}
    return Compared(len(owed) - len(missing), missing)
