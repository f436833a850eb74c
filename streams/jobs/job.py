"""What the agents of both scopes have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from connector.contract.errors import InvalidRecord
from connector.contract.provenance import HEADERS
from streams.admissible import read_order
from streams.effects import Effects, Headers, Item, LogRecord, Output, Topics, set_headers
from streams.fold import is_idle
from streams.letters import dead_letter
from streams.records import Alert, MarketStats, WalletStats, encode
from streams.scores import grade_outputs, score_outputs
from streams.shards.live import Ahead, Live
from streams.shards.values import GENERATION, Value, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from connector.contract.record import OrderRecord
    from streams.grades import AlertGrade
    from streams.rules.interface import Errors, Rules
    from streams.stats.glance import Glance

V = TypeVar("V", bound=Value)
V_contra = TypeVar("V_contra", bound=Value, contravariant=True)


class Fold(Protocol[V_contra]):
    """What a job asks of the fold of its scope, besides the step."""

    rules: Rules

    def settle(self, state: V_contra, subject: str, clock: int, errors: Errors, /) -> list[Alert]:
        """Return the alerts that are due up to `clock` (ms) without an order, and bring the state there."""

    def due(self, state: V_contra, at: int, /) -> int | None:
        """Return when statistics change after `at` (ms), or alerts and grades after the state's own clock."""

    def stats(
        self, subject: str, state: V_contra, /, *, at: int, as_of_offset: int, partition: int
    ) -> WalletStats | MarketStats:
        """Return the record of the statistics at `at` (ms)."""


_HEADER_BYTES = 4_096
"""Most of a header that is passed on."""


class Folded(NamedTuple, Generic[V]):
    """What folding an order did, whatever the scope."""

    subject: str
    state: V
    alerts: list[Alert]
    grades: Sequence[AlertGrade] = ()
    forward: tuple[tuple[str, int], Item] | None = None
    """Topic and partition that have to hear of it, and what."""
    duplicate: bool = False
    """Whether the topic held the order before. A market's repetitions are replays of a wallet partition, no such."""


class Job(ABC, Generic[V]):
    """The pure half of an agent."""

    label: ClassVar[str]
    """What metrics call the source topic, whatever the deployment's prefix is."""

    glance: Callable[[bytes], Glance] | None = None
    """Looks into an encoded value; None: values stay objects."""
    generation: ClassVar[int] = GENERATION
    """How many are objects, see `Values`."""

    source_topic: str
    state_topic: str
    statistics_topic: str

    def __init__(self, fold: Fold[V], topics: Topics) -> None:
        self._fold_of_scope = fold
        self._topics = topics

    @abstractmethod
    def decode_state(self, value: bytes) -> V:
        """Read one value of the state topic."""

    def no_values(self) -> Values[V]:
        """Return what will hold the values of a partition."""
        return Values(self.decode_state, self.glance, self.generation)

    def statistics(self, live: Live[V], subject: str, at: int) -> Item:
        """Return the statistics record of a subject at `at` (ms)."""
        state = live.values.peek(subject)
        stats = self._fold_of_scope.stats(subject, state, at=at, as_of_offset=live.offset, partition=live.partition)
        return _key(subject), encode(stats), []

    @property
    def rules(self) -> Rules:
        """The rules that the fold asks."""
        return self._fold_of_scope.rules

    def due(self, state: V, at: int) -> int | None:
        """
        Return when statistics or alerts of a subject change without an order; None: never.

        Statistics, after `at` (ms), up to which they are told; alerts, after the state's own clock: deadlines may have
        passed before anybody looked.
        """
        return self._fold_of_scope.due(state, at)

    @abstractmethod
    def _fold(self, live: Live[V], order: OrderRecord, record: LogRecord, clock: int) -> Folded[V]:
        """Fold one order; raises `InvalidRecord` and leaves the state as it was."""

    def absorb(self, live: Live[V], record: LogRecord, effects: Effects) -> None:
        """Fold one record into the live state."""
        clock = live.observe(record.timestamp)
        try:
            folded = self._fold(live, read_order(record), record, clock)
        except InvalidRecord as error:
            effects.urgent.append(dead_letter(self._topics.dead, record, error, effects.admitted_ns))
            return
        live.values[folded.subject] = folded.state
        live.touch(folded.subject)
        live.duplicates += folded.duplicate
        ahead = live.ahead.pop(folded.subject, None)
        for alert in folded.alerts:
            if ahead is None or alert.alert_id not in ahead.told:
                effects.urgent.append(self._alert(alert, waterfall(record), effects.admitted_ns))
        effects.urgent += grade_outputs(self._topics, folded.grades, ahead, effects.admitted_ns)
        effects.urgent += score_outputs(self._topics, live, folded.grades, record.offset)
        if folded.forward is not None:
            target, item = folded.forward
            effects.bulk[target].append(item)

    def forget_idle(self, live: Live[V]) -> list[Item]:
        """Drop subjects that had no order for long; return the tombstones of their statistics."""
        idle = [subject for subject, clock in live.values.clocks() if is_idle(clock, live.clock)]
        for subject in idle:
            live.forget(subject)
        return [(_key(subject), None, []) for subject in idle]

    def tick(self, live: Live[V], subject: str, at: int, effects: Effects) -> None:
        """Tell the alerts and grades that time alone brings for a subject up to `at` (ms)."""
        state = live.values.peek(subject)
        if not self._waits(state, at):
            return
        ahead = live.ahead.get(subject)
        if ahead is None:
            ahead = live.ahead[subject] = Ahead(self.decode_state(state.encode()))
        for alert in self._fold_of_scope.settle(ahead.value, subject, at, dict(live.errors)):
            ahead.told.add(alert.alert_id)
            effects.urgent.append(self._alert(alert, [], effects.admitted_ns))
        effects.urgent += grade_outputs(self._topics, self._grade(ahead.value, subject, at), ahead, effects.admitted_ns)

    def _waits(self, state: V, at: int) -> bool:  # noqa: ARG002  # rules look for themselves
        """Return whether time alone may have brought anything up to `at` (ms)."""
        return bool(state.rules)

    def _grade(self, state: V, subject: str, at: int) -> Sequence[AlertGrade]:  # noqa: ARG002  # where prices are
        """Return the grades that are due up to `at`, and change the state accordingly."""
        return ()

    def _alert(self, alert: Alert, waterfall: Headers, admitted_ns: int) -> Output:
        topic = self._topics.alerts_shadow if alert.mode == "SHADOW" else self._topics.alerts
        headers = [*waterfall, ("admitted_ns", b"%d" % admitted_ns)]
        return Output(topic, alert.fingerprint.encode(), encode(alert), headers, alert)


def _key(subject: str) -> bytes:
    """Return the key of a subject's statistics, see `connector.contract.keys`."""
    return subject.lower().encode("ascii")


def require_key(record: LogRecord, key: bytes) -> None:
    """A record under another key lies in a partition whose state knows nothing of its subject."""
    if record.key != key:
        raise InvalidRecord(f"key: expected {key!r}, found {record.key!r}")


def header(record: LogRecord, wanted: str) -> str | None:
    """Return a header as text, None where it is missing."""
    for name, value in record.headers:
        if name == wanted and value is not None:
            return value.decode("utf-8", "replace")
    return None


def waterfall(record: LogRecord) -> Headers:
    """Return the order's times under its own names, for the worker's to stand beside them."""
    return [(f"order_{name}" if name == "published_ns" else name, value) for name, value in known_headers(record)]


def known_headers(record: LogRecord) -> Headers:
    """Return the headers of the contract; what strangers add might be as large as a record."""
    return [(name, value) for name, value in set_headers(record) if name in HEADERS and len(value) <= _HEADER_BYTES]
