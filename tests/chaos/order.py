"""Per wallet, live orders stand in the topic in the order in which sockets delivered them. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.simulator.book import Executed
    from tests.chaos.evidence import Evidence, Published
    from tests.chaos.owners import Owners


def disordered(evidence: Evidence, contents: Mapping[str, list[Executed]], owners: Owners) -> tuple[list[str], int]:
    """
    Return a line for each live order that stands after one delivered later, and how many a handover explains.

    An order may have been delivered several times, to several sockets: any delivery may be the one that was
    published, so the earliest that is not before its predecessor's is taken. Back-filled orders say so in their
    headers and are in no order; so are the orders of two owners around an unclean handover.
    """
    delivered = _deliveries(evidence, contents)
    latest: dict[str, int] = defaultdict(int)
    lines, explained = [], 0
    for record in evidence.published:
        times = delivered.get(record.event_id.rpartition("-")[0])
        if record.source != "ws" or not times:
            continue
        place = bisect_right(times, latest[record.wallet] - 1)
        if place < len(times):
            latest[record.wallet] = times[place]
        elif owners.near(record.partition, record.append_ms):
            explained += 1
        else:
            lines.append(_line(record, times[-1], latest[record.wallet]))
    return lines, explained


def _line(record: Published, delivered: int, latest: int) -> str:
    return (
        f"{record.event_id} of {record.wallet} at {record.partition}/{record.offset} was last delivered as number"
        f" {delivered}, but stands after one first delivered as number {latest}"
    )


def _deliveries(evidence: Evidence, contents: Mapping[str, list[Executed]]) -> dict[str, list[int]]:
    """Return by content the numbers of its deliveries that reached a socket, in order."""
    content_of = {order.seq: content for content, orders in contents.items() for order in orders}
    found: defaultdict[str, list[int]] = defaultdict(list)
    for delivery in evidence.deliveries:
        if delivery.reached:
            found[content_of[delivery.order]].append(delivery.seq)
    return found
