"""The ledger: the book against the topics, and an explanation of every difference. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from tests.chaos.explain import Explainer
from tests.chaos.order import disordered
from tests.chaos.owed import executed_ms, owed
from tests.chaos.owners import Owners, Publishers
from tests.chaos.repairs import Repairs, repairs

if TYPE_CHECKING:
    from connector.simulator.book import Executed
    from tests.chaos.evidence import Evidence, Published


_KAFKA_AWAY = ("code 4:", "code 5:")
_AWAY_MS = 15_000


class Verdict(msgspec.Struct, kw_only=True):
    """What was found; each line names one fault and what is known of it."""

    executed: int
    owed: int
    published: int
    """Distinct orders in the topic."""
    recovered: int
    """Of these, by repair."""
    lost: list[str] = []
    unrecoverable: int = 0
    """Orders that REST withheld and that are inside a gap on record."""
    undetectable: int = 0
    """Orders that REST withheld and the socket lost without a trace: nobody can know of them."""
    promised_duplicates: list[str] = []
    """After an unclean handover, as the guarantee says."""
    duplicates: list[str] = []
    foreign: list[str] = []
    open_gaps: list[str] = []
    disordered: list[str] = []
    explained_disorder: int = 0
    """Live orders out of order, across a handover."""
    statistics: list[str] = []
    exits: list[str] = []
    """Replicas that ended by themselves, without a reason."""
    unsettled: list[str] = []
    """Wallets that were not live, gapless and covered in time at the end."""
    handovers: int = 0
    unclean_handovers: int = 0
    repairs: Repairs

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        named = {
            "lost": self.lost,
            "duplicate": self.duplicates,
            "foreign": self.foreign,
            "gap left open": self.open_gaps,
            "out of order": self.disordered,
            "statistics": self.statistics,
            "replica ended": self.exits,
            "not settled": self.unsettled,
        }
        return [f"{kind}: {line}" for kind, lines in named.items() for line in lines]


def judge(evidence: Evidence, *, unsettled: list[str] | None = None) -> Verdict:
    """Compare what was executed with what the topics hold."""
    owners, explain = Owners(evidence), Explainer(evidence)
    contents = _contents(evidence)
    due = owed(evidence)
    handovers = owners.handovers()
    verdict = Verdict(
        executed=len(evidence.orders),
        owed=len(due),
        published=len({each.event_id for each in evidence.published}),
        recovered=sum(each.source == "backfill" for each in evidence.published),
        statistics=list(evidence.statistics),
        exits=_exits(evidence),
        unsettled=list(unsettled or ()),
        handovers=len(handovers),
        unclean_handovers=sum(handover.cause is not None for handover in handovers),
        repairs=repairs(evidence),
    )
    _lost(verdict, contents, due, evidence, explain)
    _doubled(verdict, evidence, owners)
    _foreign(verdict, evidence, contents)
    verdict.open_gaps = verdict.repairs.left_open
    verdict.disordered, verdict.explained_disorder = disordered(evidence, contents, owners)
    return verdict


def _exits(evidence: Evidence) -> list[str]:
    """Return the ends of replicas that nobody asked for, but for those that give Kafka's absence as their reason."""
    away = [event for event in evidence.events if event.kind in {"broker_kill", "broker_stop"}]
    return [
        f"{event.replica}: {event.detail}"
        for event in evidence.events
        if event.kind in {"exit", "crash"}
        and not (
            event.detail.startswith(_KAFKA_AWAY)
            and any(each.begin_ms <= event.begin_ms <= each.end_ms + _AWAY_MS for each in away)
        )
    ]


def _contents(evidence: Evidence) -> dict[str, list[Executed]]:
    contents: defaultdict[str, list[Executed]] = defaultdict(list)
    for order in evidence.orders:
        contents[content_id(parse_order(order.row))].append(order)
    return contents


def _lost(
    verdict: Verdict, contents: dict[str, list[Executed]], due: set[int], evidence: Evidence, explain: Explainer
) -> None:
    found = Counter(event_id.rpartition("-")[0] for event_id in {each.event_id for each in evidence.published})
    for content, orders in contents.items():
        wanted = [order for order in orders if order.seq in due]
        absent = len(wanted) - found[content]
        if absent <= 0:
            continue
        withheld = [order for order in wanted if order.withheld]
        for order in withheld[:absent]:
            if explain.on_record(order):
                verdict.unrecoverable += 1
            elif explain.without_trace(order):
                verdict.undetectable += 1
            else:
                verdict.lost.append(explain.order(content, order))
        rest = [order for order in wanted if not order.withheld]
        verdict.lost += [explain.order(content, order) for order in rest[: max(0, absent - len(withheld))]]


def _doubled(verdict: Verdict, evidence: Evidence, owners: Owners) -> None:
    publishers = Publishers(evidence)
    copies: defaultdict[str, list[Published]] = defaultdict(list)
    for each in evidence.published:
        copies[each.event_id].append(each)
    for event_id, records in copies.items():
        for first, again in pairwise(records):
            line = (
                f"{event_id} of {first.wallet} at {first.partition}/{first.offset}"
                f" ({first.source} {publishers.of(first) or ''}) and {again.offset}"
                f" ({again.source} {publishers.of(again) or ''}), {again.append_ms - first.append_ms} ms apart"
            )
            before = {name for name in (publishers.of(first), publishers.of(again)) if name is not None}
            handover = owners.unclean_near(first.partition, first.append_ms, again.append_ms, before)
            if by := publishers.same(first, again):
                verdict.duplicates.append(f"{line}, both by {by}")
            elif stray := owners.stray(again.partition, publishers.of(again), again.append_ms):
                verdict.promised_duplicates.append(f"{line}: landed late, after {stray.kind} of {stray.replica}")
            elif handover is None or handover.cause is None:
                verdict.duplicates.append(f"{line}, owner {owners.at(again.partition, again.append_ms)} all along")
            else:
                cause = f"{handover.cause.kind} of {handover.cause.replica or 'the broker'}"
                verdict.promised_duplicates.append(f"{line}: {handover.before} -> {handover.after} after {cause}")


def _foreign(verdict: Verdict, evidence: Evidence, contents: dict[str, list[Executed]]) -> None:
    for event_id in {each.event_id for each in evidence.published}:
        content, _, occurrence = event_id.rpartition("-")
        executed = len(contents.get(content, ()))
        if int(occurrence) >= executed:
            when = ", ".join(str(executed_ms(order)) for order in contents.get(content, ()))
            verdict.foreign.append(f"{event_id}: executed {executed} times ({when})")
