"""
Which executed orders the topic owes. Pure, and in doubt it owes nothing.

    added --- live ------------------------ removed
                |<------- owed ------->|......
    since                        last coverage

From the moment a wallet is live every order is owed, with `since` those from that time on. A watch that ended owes
what its last checkpoint promised: everything the sockets brought up to `covered_until`, and everything at all up to
`verified_until`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from connector.contract.coverage import CoverageRecord
    from connector.simulator.book import Executed
    from tests.chaos.evidence import Evidence, Watch

CLOCK_SLACK_MS = 2_000
"""The provider's clock is known to the second."""

Covered = dict[str, list["CoverageRecord"]]


def owed(evidence: Evidence) -> set[int]:
    """Return the sequence numbers of the orders that must be in the topic, or on record as not to be had."""
    covered = by_wallet(evidence)
    reached = {delivery.order for delivery in evidence.deliveries if delivery.reached}
    watches: defaultdict[str, list[Watch]] = defaultdict(list)
    for watch in evidence.watches:
        watches[watch.wallet].append(watch)
    return {
        order.seq
        for order in evidence.orders
        if any(_owes(watch, order, covered, reached=order.seq in reached) for watch in watches[order.user])
    }


def by_wallet(evidence: Evidence) -> Covered:
    """Return each wallet's coverage, oldest first."""
    covered: Covered = defaultdict(list)
    for each in evidence.coverage:
        covered[each.record.wallet].append(each.record)
    return covered


def _owes(watch: Watch, order: Executed, covered: Mapping[str, list[CoverageRecord]], *, reached: bool) -> bool:
    records = list(_during(watch, covered.get(watch.wallet, ())))
    return _begun(watch, order, records) and _not_over(watch, order, records, reached=reached)


def _begun(watch: Watch, order: Executed, records: list[CoverageRecord]) -> bool:
    live = watch.live_ms
    if live is None:
        live = next((record.at_ms + CLOCK_SLACK_MS for record in records if record.standing == "live"), None)
    if live is None:
        return False  # nobody got round to it before it was removed
    if watch.since_ms is not None and order.timestamp * 1_000 >= watch.since_ms:
        return True
    return executed_ms(order) >= live


def _not_over(watch: Watch, order: Executed, records: list[CoverageRecord], *, reached: bool) -> bool:
    if watch.removed_ms is None:
        return True
    verified = max((record.verified_until_ms for record in records), default=0)
    covered = max((record.covered_until_ms for record in records), default=0)
    return executed_ms(order) < verified or (reached and executed_ms(order) < covered)


def _during(watch: Watch, records: Iterable[CoverageRecord]) -> Iterable[CoverageRecord]:
    for record in records:
        if record.at_ms >= watch.added_ms - CLOCK_SLACK_MS and (
            watch.removed_ms is None or record.at_ms <= watch.removed_ms
        ):
            yield record


def executed_ms(order: Executed) -> int:
    """Return when an order was executed, unix milliseconds."""
    return order.executed_ns // 1_000_000
