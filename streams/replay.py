"""
Replays logs with the code of the worker: the same jobs and the same state per partition. Pure.

Of `orders.v1` alone the orders by market are made up as the worker forwards them, in the order in which the records
are fed. There they interleave by append time at best, so market alerts may differ from those of a worker, whose
partitions run side by side; from a log of `orders-by-market.v1` they are the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from connector.contract.record import decode_dead
from streams.effects import Effects, Topics
from streams.fold import MarketFold, WalletFold, earliest
from streams.grader import DEFAULT_HORIZONS
from streams.grades import decode_grade
from streams.jobs import MarketJob, WalletJob
from streams.partitions import Partitions
from streams.records import Alert, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from streams.effects import LogRecord
    from streams.grader import Horizon
    from streams.grades import AlertGrade
    from streams.rules.interface import Rules

_REASON_CHARACTERS = 60


class Record(NamedTuple):
    """A record that was made up; see `LogRecord`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Totals:
    """What a replay has seen."""

    def __init__(self) -> None:
        self.orders = 0
        """Records of `orders.v1`."""
        self.duplicates = 0
        """Of these, orders that the topic held before."""
        self.forwarded = 0
        """Orders that go on to their markets."""
        self.by_market = 0
        """Records of `orders-by-market.v1`, made up or read."""
        self.dead: Counter[str] = Counter()
        """Dead letters by what was wrong."""
        self.alerts = 0
        self.first: int | None = None
        """Append time of the earliest record, unix milliseconds."""
        self.last: int | None = None
        """Append time of the latest one."""


class Replay:
    """
    Folds records, and hands each alert to `sink` once.

    Besides the states it keeps 16 bytes of the id of each alert and grade.

    Args:
        rules: Those in force, by the log's clock.
        topics: Names by which records are told apart.
        sink: Takes the alerts.
        market_partition: Returns the partition of a market's key, to make up the orders by market; None: they are fed.
        in_time: Whether what time brings for a subject is told as soon as the clock of its partition is there, as a
            worker does; else with its next record, or at the end. The alerts are the same, but their order; looking
            ahead costs copies of states.
        grades: Takes the grades of alerts, each once, where orders by market are replayed.
        horizons: How long after an alert it is graded.
    """

    def __init__(
        self,
        rules: Rules,
        topics: Topics,
        sink: Callable[[Alert], None],
        *,
        market_partition: Callable[[bytes], int] | None = None,
        in_time: bool = True,
        grades: Callable[[AlertGrade], None] | None = None,
        horizons: Sequence[Horizon] = DEFAULT_HORIZONS,
    ) -> None:
        self.totals = Totals()
        self._topics = topics
        self._sink = sink
        self._grades = grades
        self._derives = market_partition is not None
        wallets = WalletJob(WalletFold(rules), topics, market_partition or _nowhere)
        self._wallets = Partitions(wallets, lambda state, _: rules.due("wallet", state, state.clock), in_time=in_time)
        markets = MarketJob(MarketFold(rules, horizons), topics)
        self._markets = Partitions(
            markets,
            lambda state, _: earliest(rules.due("market", state, state.clock), state.grading.next_due),
            in_time=in_time,
        )
        self._effects = Effects(admitted_ns=0)
        self._told: set[bytes] = set()
        self._next: dict[int, int] = defaultdict(int)

    def run(self, records: Iterable[LogRecord]) -> None:
        """Feed many records."""
        for record in records:
            self.feed(record)

    def feed(self, record: LogRecord) -> None:
        """
        Fold the next record of its partition.

        Raises:
            ValueError: its topic is none of those replayed.
        """
        self._seen(record.timestamp)
        if record.topic == self._topics.orders:
            self.totals.orders += 1
            self.totals.duplicates += self._wallets.absorb(record, self._effects)
            if self._effects.bulk:
                self._forward(record.timestamp)
        elif record.topic == self._topics.orders_by_market and not self._derives:
            self._absorb_by_market(record)
        else:
            raise ValueError(f"topic {record.topic}: expected {self._topics.orders} or {self._topics.orders_by_market}")
        if self._effects.urgent:
            self._tell()

    def finish(self, at: int) -> None:
        """Let time go on to `at` (unix milliseconds) without another record."""
        self._wallets.tick(at, self._effects)
        self._markets.tick(at, self._effects)
        self._tell()

    def _absorb_by_market(self, record: LogRecord) -> None:
        self.totals.by_market += 1
        self._markets.absorb(record, self._effects)

    def _forward(self, stamp: int) -> None:
        for (topic, partition), items in self._effects.take_bulk().items():
            self.totals.forwarded += len(items)
            if not self._derives:
                continue
            for key, value, headers in items:
                offset = self._next[partition]
                self._next[partition] += 1
                self._absorb_by_market(Record(topic, partition, offset, stamp, key, value, headers))

    def _seen(self, stamp: int) -> None:
        totals = self.totals
        if totals.last is None or totals.first is None:
            totals.first = totals.last = stamp
        elif stamp > totals.last:
            totals.last = stamp
        elif stamp < totals.first:
            totals.first = stamp

    def _tell(self) -> None:
        alerts = []
        for output in self._effects.take_urgent():
            if output.topic == self._topics.dead:
                self.totals.dead[_reason(decode_dead(output.value).detail)] += 1
            elif output.topic == self._topics.alert_grades:
                self._graded(output.value)
            elif output.topic in (self._topics.alerts, self._topics.alerts_shadow):
                alerts.append(decode(Alert, output.value))
        for alert in sorted(alerts, key=_as_of):
            if self._is_new(alert.alert_id):
                self.totals.alerts += 1
                self._sink(alert)

    def _graded(self, value: bytes) -> None:
        if self._grades is not None and self._is_new((grade := decode_grade(value)).grade_id):
            self._grades(grade)

    def _is_new(self, record_id: str) -> bool:
        packed = bytes.fromhex(record_id)
        new = packed not in self._told
        self._told.add(packed)
        return new


def _as_of(alert: Alert) -> int:
    return alert.as_of


def _reason(detail: str) -> str:
    """Return what dead letters of one kind have in common: the field, or the first words."""
    return detail.partition(":")[0][:_REASON_CHARACTERS]


def _nowhere(_: bytes) -> int:
    return 0
