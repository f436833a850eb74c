"""From delivered frames to records for Kafka: read, check, decide, encode. Pure; keeps counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from connector.contract.errors import InvalidOrder
from connector.contract.identity import content_id
from connector.contract.keys import wallet_key
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import dead_record, encode, order_record
from connector.contract.topics import ORDERS, ORDERS_DEAD, TopicSpec
from connector.dedupe import Verdict

if TYPE_CHECKING:
    from connector.commands import Bury, Deliver
    from connector.contract.order import Order
    from connector.dedupe import Decider


class Outgoing(msgspec.Struct, frozen=True):
    """A record to publish."""

    topic: TopicSpec
    key: bytes | None
    value: bytes
    provenance: Provenance
    fault: str | None = None
    """Of a dead letter: its reason and detail."""


class Intake:
    """
    Decides what becomes of each frame.

    Call it in order of arrival, and publish what it returns at once and in that order: what it
    has decided on counts as seen.

    `counts` holds the number of frames by outcome: `orders`, `duplicates`, and the reasons of
    dead letters.

    Args:
        decider: Tells new fills from repeated deliveries.
        secret: The API key, masked in dead letters: a provider's error may quote it.
    """

    def __init__(self, decider: Decider, *, secret: str = "") -> None:
        self._decider = decider
        self._secret = secret
        self.counts: Counter[str] = Counter()

    def order(self, delivery: Deliver) -> Outgoing | None:
        """Return the order's record, its dead letter, or None for a duplicate."""
        try:
            order = parse_order(delivery.data)
        except InvalidOrder as error:
            return self._invalid(delivery, error)
        content = content_id(order)
        decision = self._decider.decide(content, delivery.channel, order.log_index)
        if decision.verdict is Verdict.DUPLICATE:
            self.counts["duplicates"] += 1
            return None
        if decision.verdict is Verdict.UNSETTLED:
            return self._unsettled(delivery, order, content)
        self.counts["orders"] += 1
        value = encode(order_record(order, content, decision.occurrence))
        return Outgoing(ORDERS, wallet_key(order.user), value, delivery.provenance)

    def dead(self, letter: Bury) -> Outgoing:
        """Return the dead letter of a frame that could not be read."""
        return self._dead(letter, reason=letter.reason, detail=letter.detail)

    def _invalid(self, delivery: Deliver, error: InvalidOrder) -> Outgoing:
        return self._dead(delivery, reason="invalid-order", detail=error.reason, field=error.field)

    def _unsettled(self, delivery: Deliver, order: Order, content: str) -> Outgoing:
        detail = f"{content}: a second fill of equal content, or the first one delivered again; no log_index tells"
        return self._dead(delivery, reason="unsettled-twin", detail=detail, key=wallet_key(order.user))

    def _dead(
        self, frame: Bury | Deliver, *, reason: str, detail: str, field: str | None = None, key: bytes | None = None
    ) -> Outgoing:
        self.counts[reason] += 1
        raw = frame.raw
        if self._secret:
            raw, detail = raw.replace(self._secret.encode(), b"***"), detail.replace(self._secret, "***")
        record = dead_record(raw, reason=reason, detail=detail, field=field, provenance=frame.provenance)
        fault = ": ".join(part for part in (reason, field, detail) if part)
        return Outgoing(ORDERS_DEAD, key, encode(record), frame.provenance, fault)
