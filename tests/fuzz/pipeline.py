"""What a frame goes through in the connector, without sockets and Kafka, and what must hold of every frame."""

from __future__ import annotations

import base64
from collections import Counter
from typing import TYPE_CHECKING

from connector.commands import Acknowledged, Bury, Command, Deliver, Drop, Live, Lost, Refused, Send, TurnedAway
from connector.contract.record import MAX_RAW, decode_dead, decode_order
from connector.contract.topics import ORDERS_DEAD
from connector.deadletters import suspects
from connector.dedupe import Memory
from connector.intake import Intake, Outgoing
from connector.session import Limits, Session
from tests.fuzz.frames import FIRST_SECOND, SUBSCRIPTION, WALLETS
from tests.fuzz.mutations import MAX_BYTES, encoded

if TYPE_CHECKING:
    from connector.dialects import Dialect

_KAFKA_BYTES = 1024 * 1024
_REMEMBERED = 1_000
"""Orders: few enough that some are forgotten."""
_LEAD_MS = 6_000
"""By which orders are stamped ahead of our clock, more than the memory allows for: none is older than its floor."""
_ANSWERS = (Send, Drop, TurnedAway, Acknowledged, Live, Lost, Refused)


class Pipeline:
    """Session, intake and memory; `outcomes` counts what became of the frames."""

    def __init__(self, dialect: Dialect) -> None:
        self.outcomes: Counter[str] = Counter()
        self.intake = Intake(secrets=["sk-live-fuzz"])
        self._session = Session(dialect, Limits(max_frame_bytes=MAX_BYTES), provider=dialect.name, name="primary-0")
        self._session.want({"wallets-0": WALLETS[:5], "wallets-1": WALLETS[5:]}, 0.0)
        self._memory = Memory(_REMEMBERED, 0)
        self._frames = 0
        self.connect()

    def connect(self) -> None:
        """Begin a connection, ended or not the one before; the first subscribe is acknowledged."""
        self._session.closed()
        self._session.connecting()
        self._session.opened(self._now)
        self._session.received(encoded({"type": "ack", "subscription_id": SUBSCRIPTION}), received_ns=1, now=self._now)

    def take(self, raw: bytes) -> str:
        """Return what became of a frame; raises AssertionError where a promise is broken."""
        self._frames += 1
        ignored = self._session.ignored.total()
        commands = self._session.received(raw, received_ns=self._frames, now=self._now)
        outcome = self._outcome(raw, commands, ignored=self._session.ignored.total() > ignored)
        self.outcomes[outcome] += 1
        if any(isinstance(command, Drop) for command in commands):
            self.connect()
        return outcome

    @property
    def _now(self) -> float:
        return self._frames / 1000

    def _outcome(self, raw: bytes, commands: list[Command], *, ignored: bool) -> str:
        match commands:
            case [Deliver() as delivery]:
                return self._order(delivery)
            case [Bury() as letter]:
                return self._dead(raw, self.intake.dead(letter))
        assert all(isinstance(command, _ANSWERS) for command in commands), commands
        if any(isinstance(command, TurnedAway | Refused) for command in commands):
            return "refusal"
        return "ignored" if ignored else "ack"

    def _order(self, delivery: Deliver) -> str:
        order = self.intake.parse(delivery)
        if isinstance(order, Outgoing):
            return self._dead(delivery.raw, order)
        now_ms = FIRST_SECOND * 1000 + self._frames - _LEAD_MS
        decided = self.intake.decide(order, delivery, self._memory, now_ms)
        if decided is None:
            return "duplicate"
        if not isinstance(decided, Outgoing):
            return "unsettled"
        value = decided.value or b""
        assert len(value) < _KAFKA_BYTES
        record = decode_order(value)
        assert (record.event_id, record.user, record.notional_micros) == (decided.event_id, order.user, order.notional)
        return "order"

    def _dead(self, raw: bytes, letter: Outgoing) -> str:
        assert letter.topic is ORDERS_DEAD
        assert letter.fault
        value = letter.value or b""
        assert len(value) < _KAFKA_BYTES
        record = decode_dead(value)
        assert base64.b64decode(record.raw, validate=True) == raw[:MAX_RAW]
        suspects(raw, WALLETS)
        return "dead"
