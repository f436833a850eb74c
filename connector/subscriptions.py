"""
The subscriptions of one socket: what is wanted, what is in force, what was asked for.

The protocol has no request ids: an ack names the subscription, which is new to us if it was just made, and an error
may name nothing. So one request is open at a time, and whatever answers can only answer that one, in whichever order
the provider works and whatever gets lost. An unsubscribe is not answered.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from connector.commands import Acknowledged, Command, Refused, Send
from connector.in_force import InForce
from connector.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.dialects import Dialect, Refusal
    from connector.subscription import Wallets


class Subscriptions:
    """
    Requests and acks of one socket. Times are seconds of the caller's clock.

    Args:
        dialect: Writes the frames.
        ack_timeout: Seconds until a missing ack is overdue.
        retry_refused: Seconds until a refused request is made again.
        retry_busy: The same for a request that was turned away for now.
    """

    def __init__(self, dialect: Dialect, *, ack_timeout: float, retry_refused: float, retry_busy: float) -> None:
        self._dialect = dialect
        self._ack_timeout = ack_timeout
        self._retry = {"subscription": retry_refused, "retry": retry_busy}
        self._named: dict[str, Subscription] = {}
        self._by_id: dict[str, Subscription] = {}
        self._open: Subscription | None = None
        self._ack_due = math.inf
        self._ended: set[str] = set()
        self._in_force = InForce()

    @property
    def settled(self) -> bool:
        """Whether no request waits for its answer."""
        return self._open is None

    @property
    def wanted(self) -> bool:
        """Whether any wallet is wanted."""
        return any(each.wanted for each in self._named.values())

    @property
    def confirmed(self) -> int:
        """How many subscriptions the provider confirmed on this connection, and did not end."""
        return len(self._by_id)

    def deadline(self) -> float:
        """Return when the ack is overdue or, while no request is open, the next retry is due."""
        if self._open is not None:
            return self._ack_due
        return min((each.retry_at for each in self._named.values() if each.retry_at > -math.inf), default=math.inf)

    def postpone(self, seconds: float) -> None:
        """Give the open request this much longer."""
        self._ack_due += seconds

    def in_force(self, subscription_id: str | None = None) -> Wallets:
        """Return the wallets that a subscription delivers; of an unknown one, or of none, all of the socket."""
        named = self._by_id.get(subscription_id or "")
        return self._in_force.wallets if named is None else named.in_force

    def want(self, wishes: Mapping[str, Wallets]) -> None:
        """Replace the wallets wanted of the subscriptions named, which may be new; no wallets end one."""
        for name, wallets in wishes.items():
            each = self._named.get(name)
            if each is None:
                self._named[name] = Subscription(name=name, wanted=wallets)
            elif each.wanted != wallets:
                each.wanted, each.retry_at = wallets, -math.inf

    def requests(self, now: float) -> list[Command]:
        """Return the frames that bring what is in force closer to what is wanted; first what frees room."""
        steps: list[tuple[Subscription, Wallets]] = []
        for each in list(self._named.values()):
            if each.id is None and each.asked is None and not each.wanted:
                del self._named[each.name]
            elif each.asked is None and now >= each.retry_at:
                goal = each.goal(self._named.values())
                if each.id is None or goal is not each.in_force:
                    steps.append((each, goal))
        steps.sort(key=lambda step: len(step[1]) > len(step[0].told))
        return [command for each, goal in steps for command in self._request(each, goal, now)]

    def acknowledged(self, subscription_id: str) -> list[Command] | None:
        """Return what follows from an ack, or None for one that answers nothing."""
        each = self._by_id.get(subscription_id, self._open)
        if subscription_id in self._ended or (each is not None and each.id is not None and each is not self._open):
            return []
        if each is None or each.id not in (None, subscription_id):
            return None
        each.id, each.in_force, each.asked = subscription_id, each.asked or (), None
        self._by_id[subscription_id] = each
        self._open = None
        told = self._in_force.tell(each, "resubscribed")
        return [Acknowledged(each.name, subscription_id, each.in_force), *told]

    def refused(self, refusal: Refusal, now: float) -> list[Command] | None:
        """Return what follows from a refusal, or None for one that answers nothing."""
        named = refusal.subscription_id
        each = self._open if named is None else self._by_id.get(named)
        if each is None:
            return None
        if each is not self._open:
            return self._end_by_provider(each, refusal, now) if refusal.severity == "subscription" else None
        report = Refused(each.name, each.action, refusal.code, refusal.message, each.asked_for)
        asked, each.asked, self._open = each.asked, None, None
        if refusal.ended and each.id is not None:
            self._lose(each, each.id, now)
        elif refusal.severity == "retry" or each.goal(self._named.values()) == asked:
            each.retry_at = now + self._retry[refusal.severity]
        return [report, *self._in_force.tell(each, "refused")]

    def overdue(self, now: float) -> Refused | None:
        """Return the request whose ack is overdue."""
        late = self._open
        if late is None or now < self._ack_due:
            return None
        report = Refused(late.name, late.action, "NO_ACK", f"no ack within {self._ack_timeout:g} s", late.asked_for)
        if late.id is not None:
            late.in_force = ()  # the next connection subscribes to what is wanted: that is acknowledged
        return report

    def disconnected(self) -> Wallets:
        """Forget what only this connection knew; return the wallets that were in force."""
        self._by_id.clear()
        self._ended.clear()
        self._open = None
        self._named = {name: each.renewed() for name, each in self._named.items() if each.wanted}
        return self._in_force.clear()

    def _request(self, each: Subscription, goal: Wallets, now: float) -> list[Command]:
        if not goal and each.id is not None:
            frame = self._dialect.unsubscribe(each.id)
            del self._named[each.name]
            self._forget(each, each.id)
        elif self._open is not None:
            return []
        else:
            frame = self._dialect.subscribe(goal) if each.id is None else self._dialect.update(each.id, goal)
            each.retry_at = -math.inf
            if each.id is None or self._dialect.acks_updates:
                each.asked, self._open, self._ack_due = goal, each, now + self._ack_timeout
            else:
                each.in_force = goal
        return [Send(frame), *self._in_force.tell(each, "resubscribed")]

    def _end_by_provider(self, each: Subscription, refusal: Refusal, now: float) -> list[Command]:
        subscription_id = each.id or ""
        commands: list[Command] = [Refused(each.name, "subscription", refusal.code, refusal.message, each.in_force)]
        if not refusal.ended:
            commands.append(Send(self._dialect.unsubscribe(subscription_id)))
        self._lose(each, subscription_id, now)
        return [*commands, *self._in_force.tell(each, "refused")]

    def _lose(self, each: Subscription, subscription_id: str, now: float) -> None:
        """Subscribe again at once, but only once in a while: a provider may end it again and again."""
        if now < each.lost_at + self._retry["subscription"]:
            each.retry_at = now + self._retry["subscription"]
        each.lost_at = now
        self._forget(each, subscription_id)

    def _forget(self, each: Subscription, subscription_id: str) -> None:
        del self._by_id[subscription_id]
        self._ended.add(subscription_id)
        each.id = None
