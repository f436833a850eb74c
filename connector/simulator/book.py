"""
The book: the truth that tests compare topics with.

Every executed order, and for every order and every subscription it matched, what became of its delivery.
"""

from __future__ import annotations

from itertools import islice
from sys import intern
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from connector.simulator.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Executed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One executed order."""

    seq: int
    """From 1, in order of execution."""
    executed_ns: int
    """Unix nanoseconds at which the simulator executed it."""
    rest_ns: int
    """Unix nanoseconds from which REST shows it, unless it is withheld."""
    withheld: bool = False
    """Whether REST never shows it."""
    timestamp: int
    user: str
    condition_id: str
    market_slug: str
    token_id: str
    json: bytes
    """The row as REST gives it."""
    wire: bytes
    """The `data` of its socket events."""

    @property
    def row(self) -> dict[str, Any]:
        """The row, decoded."""
        decoded: dict[str, Any] = orjson.loads(self.json)
        return decoded


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    What became of one order on one subscription.

    `reached` means: the whole event, as valid JSON, was accepted by the operating system for a connection
    that was open. What the peer had not read when it closed the connection itself is beyond our knowledge.
    """

    seq: int
    """From 1, in order of sending."""
    order: int
    """Sequence number of the order."""
    connection: int
    subscription: str
    at_ns: int
    """Unix nanoseconds at which it was sent or given up."""
    reached: bool
    fault: str | None = None
    """Kind of fault applied, or `disconnected`, `slow_consumer`, `dropped`, `idle`; None for a plain delivery."""


_encode = msgspec.json.Encoder().encode
"""Not orjson: what it returns keeps an 8 kB buffer for as long as it lives, ten times the row."""
_ROW_FIELDS = ("user", "condition_id", "market_slug", "token_id")


class Book:
    """
    Everything that was executed and delivered; only ever appended to.

    Args:
        keep_deliveries: Of the deliveries keep only about this many, the last ones, so that a long run fits
            in memory; None keeps all.
    """

    def __init__(self, *, keep_deliveries: int | None = None) -> None:
        self.orders: list[Executed] = []
        self.deliveries: list[Delivery] = []
        self._keep = keep_deliveries
        self._forgotten = 0
        self.history = History()
        self.all_shown_ns = 0
        """Unix nanoseconds from which REST shows everything executed so far."""

    def add(
        self,
        row: Mapping[str, Any],
        *,
        executed_ns: int,
        rest_ns: int,
        withheld: bool = False,
        socket_indexes: bool = True,
    ) -> Executed:
        """Enter an executed order; a row is encoded here and nowhere else."""
        json = _encode(row)
        wire = json if socket_indexes else _encode(without_indexes(row))
        user, condition_id, market_slug, token_id = (intern(str(row.get(field) or "").lower()) for field in _ROW_FIELDS)
        order = Executed(
            seq=len(self.orders) + 1,
            executed_ns=executed_ns,
            rest_ns=rest_ns,
            withheld=withheld,
            timestamp=row["timestamp"],
            user=user,
            condition_id=condition_id,
            market_slug=market_slug,
            token_id=token_id,
            json=json,
            wire=wire,
        )
        self.orders.append(order)
        if not withheld:
            self.history.add(order)
            self.all_shown_ns = max(self.all_shown_ns, rest_ns)
        return order

    @property
    def delivered_in_all(self) -> int:
        """Number of deliveries entered, those included that are no longer kept."""
        return self._forgotten + len(self.deliveries)

    def delivered(
        self, order: int, *, connection: int, subscription: str, at_ns: int, reached: bool, fault: str | None
    ) -> None:
        """Enter what became of an order on a subscription."""
        self.deliveries.append(
            Delivery(
                seq=self.delivered_in_all + 1,
                order=order,
                connection=connection,
                subscription=subscription,
                at_ns=at_ns,
                reached=reached,
                fault=fault,
            )
        )
        if self._keep is not None and len(self.deliveries) > 2 * self._keep:
            surplus = len(self.deliveries) - self._keep
            self._forgotten += surplus
            del self.deliveries[:surplus]

    def orders_after(self, seq: int, limit: int) -> Iterator[Executed]:
        """Yield up to `limit` orders whose sequence number is above `seq`."""
        return islice(self.orders, seq, seq + limit)

    def deliveries_after(self, seq: int, limit: int) -> Iterator[Delivery]:
        """Yield up to `limit` deliveries, of those kept, whose sequence number is above `seq`."""
        first = max(0, seq - self._forgotten)
        return islice(self.deliveries, first, first + limit)

    def reached(self) -> list[Executed]:
        """Return each order that reached a socket at least once, in order of execution."""
        seqs = {delivery.order for delivery in self.deliveries if delivery.reached}
        return [self.orders[seq - 1] for seq in sorted(seqs)]


def without_indexes(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row as older feeds send it: neither `block_number` nor `log_index`."""
    return {name: value for name, value in row.items() if name not in ("block_number", "log_index")}
