"""
The subscriptions of one socket: what is wanted, what is in force, what was asked for.

The protocol has no request ids. An ack with the id of a known subscription answers its
update; an ack with a new id answers the oldest subscribe that is still open; an error that
names no subscription answers the oldest request of all.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from connector.commands import Acknowledged, Command, Refused, Send

if TYPE_CHECKING:
    from connector.dialects import Dialect, Refusal

Wallets = tuple[str, ...]


class _Subscription(msgspec.Struct, eq=False):
    name: str
    in_force: Wallets
    """The initial wallets, or those of the last acknowledged update."""
    wanted: Wallets
    id: str | None = None
    asked: Wallets | None = None
    """Wallets of the open request: a subscribe while there is no id, an update afterwards."""
    ack_due: float = math.inf
    retry_at: float = math.inf
    cancelled: bool = False

    @property
    def action(self) -> str:
        return "subscribe" if self.id is None else "update"


class Subscriptions:
    """
    Requests and acks of one socket. Times are seconds of the caller's clock.

    Args:
        dialect: Writes the frames.
        ack_timeout: Seconds until a missing ack is overdue.
        retry_refused: Seconds until a refused subscription is asked for again.
    """

    def __init__(self, dialect: Dialect, *, ack_timeout: float, retry_refused: float) -> None:
        self._dialect = dialect
        self._ack_timeout = ack_timeout
        self._retry_refused = retry_refused
        self._named: dict[str, _Subscription] = {}
        self._by_id: dict[str, _Subscription] = {}
        self._open: deque[_Subscription] = deque()
        self._ended: set[str] = set()

    @property
    def settled(self) -> bool:
        """Whether no request waits for its ack."""
        return not self._open

    def deadline(self) -> float:
        """Return when the next ack is overdue or the next retry is due."""
        due = [each.ack_due for each in self._open]
        return min(due + [each.retry_at for each in self._named.values()], default=math.inf)

    def postpone(self, seconds: float) -> None:
        """Give every open request this much longer."""
        for each in self._open:
            each.ack_due += seconds

    def payload_in_force(self) -> dict[str, Wallets]:
        """Return the wallets of each subscription: initial, or of the last acknowledged update."""
        return {name: each.in_force for name, each in self._named.items()}

    def subscribe(self, name: str, wallets: Wallets) -> None:
        """Add a subscription; `requests` asks for it."""
        if name in self._named:
            raise ValueError(f"subscription {name} exists: update it")
        self._named[name] = _Subscription(name=name, in_force=wallets, wanted=wallets)

    def update(self, name: str, wallets: Wallets) -> None:
        """Replace the wallets wanted; of several updates in a row the last one counts."""
        self._named[name].wanted = wallets

    def unsubscribe(self, name: str) -> list[Command]:
        """End a subscription; one with an open request ends as soon as that is answered."""
        subscription = self._named.pop(name)
        if subscription.asked is not None:
            subscription.cancelled = True
            return []
        return [] if subscription.id is None else [self._end(subscription.id)]

    def requests(self, now: float) -> list[Command]:
        """Return the frames that bring what is in force closer to what is wanted."""
        return [frame for each in self._named.values() for frame in self._request(each, now)]

    def acknowledged(self, subscription_id: str) -> list[Command] | None:
        """Return what follows from an ack, or None for one that answers nothing."""
        subscription = self._by_id.get(subscription_id)
        if subscription is None:
            if subscription_id in self._ended:
                return []
            subscription = next((each for each in self._open if each.id is None), None)
            if subscription is None:
                return None
        elif subscription.asked is None:
            return []
        self._open.remove(subscription)
        return self._confirm(subscription, subscription_id)

    def refused(self, refusal: Refusal, now: float) -> list[Command] | None:
        """Return what follows from a refusal, or None for one that answers nothing."""
        if not self._open or refusal.subscription_id in self._ended:
            return None
        named = self._by_id.get(refusal.subscription_id or "")
        if named is not None and named.asked is None:
            return None
        subscription = named or self._open[0]
        wallets, subscription.asked = subscription.asked or (), None
        self._open.remove(subscription)
        if subscription.cancelled:
            return [] if subscription.id is None else [self._end(subscription.id)]
        if subscription.id is None:
            subscription.retry_at = now + self._retry_refused
        elif subscription.wanted == wallets:
            subscription.wanted = subscription.in_force  # a newer wish is still to be asked for
        return [Refused(subscription.name, subscription.action, refusal.code, refusal.message, wallets)]

    def overdue(self, now: float) -> list[Refused]:
        """Return the requests whose ack is overdue."""
        return [
            Refused(each.name, each.action, "NO_ACK", f"no ack within {self._ack_timeout:g} s", each.asked or ())
            for each in self._open
            if each.ack_due <= now
        ]

    def disconnected(self) -> None:
        """Forget what only this connection knew; what is in force will be asked for again."""
        self._by_id.clear()
        self._open.clear()
        self._ended.clear()
        for each in self._named.values():
            each.id, each.asked, each.ack_due, each.retry_at = None, None, math.inf, math.inf

    def _request(self, each: _Subscription, now: float) -> list[Command]:
        if each.asked is not None:
            return []
        if each.id is None:
            if each.retry_at < math.inf and now < each.retry_at:
                return []
            each.asked, frame = each.in_force, self._dialect.subscribe(each.in_force)
        elif each.wanted != each.in_force:
            each.asked, frame = each.wanted, self._dialect.update(each.id, each.wanted)
        else:
            return []
        each.ack_due, each.retry_at = now + self._ack_timeout, math.inf
        self._open.append(each)
        return [Send(frame)]

    def _confirm(self, subscription: _Subscription, subscription_id: str) -> list[Command]:
        if subscription.cancelled:
            return [self._end(subscription_id)]
        subscription.id = subscription_id
        self._by_id[subscription_id] = subscription
        subscription.in_force, subscription.asked = subscription.asked or (), None
        return [Acknowledged(subscription.name, subscription_id, subscription.in_force)]

    def _end(self, subscription_id: str) -> Send:
        self._by_id.pop(subscription_id, None)
        self._ended.add(subscription_id)
        return Send(self._dialect.unsubscribe(subscription_id))
