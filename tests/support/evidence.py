"""A run of the chaos harness written by hand: a few orders, what became of them, and what the topics say."""

from __future__ import annotations

from typing import Any

from connector.contract.coverage import CoverageRecord
from connector.contract.gap import GapRecord
from connector.contract.identity import content_id, event_id
from connector.contract.order import parse_order
from connector.simulator.book import Book
from tests.chaos.evidence import Coverage, Event, Evidence, Published, Watch
from tests.support.orders import WALLET, order_data

START = 1_767_556_800
START_MS = START * 1_000
SUBSCRIPTION = "sub_1"


class Story:
    """Builds evidence; times are seconds from the beginning."""

    def __init__(self) -> None:
        self.book = Book()
        self.published: list[Published] = []
        self.coverage: list[Coverage] = []
        self.gaps: list[GapRecord] = []
        self.events: list[Event] = []
        self.watches = [Watch(wallet=WALLET, added_ms=START_MS, live_ms=START_MS)]

    def execute(
        self, number: int, at: float, *, reached: bool = True, fault: str | None = None, withheld: bool = False
    ) -> str:
        """Execute an order (equal numbers: equal fills), deliver it or not; return its content."""
        row = order_data(
            tx_hash=f"0x{number:064x}", timestamp=START + int(at), log_index=len(self.book.orders), user=WALLET
        )
        ns = round((START + at) * 1e9)
        order = self.book.add(row, executed_ns=ns, rest_ns=ns, withheld=withheld)
        self.book.delivered(order.seq, connection=1, subscription=SUBSCRIPTION, at_ns=ns, reached=reached, fault=fault)
        return content_id(parse_order(row))

    def publish(self, content: str, at: float, *, occurrence: int = 0, source: str = "ws") -> None:
        """Append to the topic."""
        self.published.append(
            Published(
                event_id=event_id(content, occurrence),
                wallet=WALLET,
                partition=0,
                offset=len(self.published),
                append_ms=START_MS + round(at * 1e3),
                source=source,
                subscription_id=SUBSCRIPTION if source == "ws" else None,
            )
        )

    def cover(self, at: float, *, until: float, verified: float | None = None, owner: str = "a") -> None:
        """Write coverage."""
        record = CoverageRecord(
            wallet=WALLET,
            standing="live",
            owner=owner,
            covered_until_ms=START_MS + round(until * 1e3),
            verified_until_ms=START_MS + round((until if verified is None else verified) * 1e3),
            at_ms=START_MS + round(at * 1e3),
        )
        self.coverage.append(Coverage(partition=0, append_ms=record.at_ms, record=record))

    def gap(self, gap_id: str, state: Any, start: float, end: float | None, at: float) -> None:
        """Report a gap."""
        self.gaps.append(
            GapRecord(
                gap_id=gap_id,
                wallet=WALLET,
                state=state,
                cause="disconnect",
                start_ms=START_MS + round(start * 1e3),
                end_ms=None if end is None else START_MS + round(end * 1e3),
                owner="a",
                at_ms=START_MS + round(at * 1e3),
            )
        )

    def event(self, kind: str, begin: float, end: float, replica: str | None = None, detail: str = "") -> None:
        """Enter a fault."""
        self.events.append(
            Event(
                kind=kind,
                begin_ms=START_MS + round(begin * 1e3),
                end_ms=START_MS + round(end * 1e3),
                replica=replica,
                detail=detail,
            )
        )

    def evidence(self, publisher: str | None = None) -> Evidence:
        """Return what the run left behind; `publisher` is whose connection brought the orders."""
        return Evidence(
            orders=self.book.orders,
            deliveries=self.book.deliveries,
            published=self.published,
            coverage=self.coverage,
            gaps=self.gaps,
            dead=[],
            watches=self.watches,
            events=self.events,
            struck={},
            publishers={} if publisher is None else {1: publisher},
        )
