"""Shell: a connection together with its session, and the faults between them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from connector.simulator.connection import Outgoing
from connector.simulator.protocol import Accepted
from connector.simulator.tamper import tamper

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.book import Executed
    from connector.simulator.connection import Connection
    from connector.simulator.dialect import Dome
    from connector.simulator.faults import Fault
    from connector.simulator.plan import FaultPlan
    from connector.simulator.protocol import ServerSession
    from connector.simulator.settings import Switches


class Channel:
    """Answers one client and offers it the orders it subscribed to."""

    def __init__(
        self, connection: Connection, session: ServerSession, *, dialect: Dome, plan: FaultPlan, switches: Switches
    ) -> None:
        self.connection = connection
        self.session = session
        self._dialect = dialect
        self._plan = plan
        self._switches = switches
        self._loop = asyncio.get_running_loop()
        self._later: dict[asyncio.TimerHandle, Callable[[], None]] = {}
        self._held: Outgoing | None = None
        self._owed_acks: dict[str, Accepted] = {}

    @property
    def holding(self) -> bool:
        """Whether a fault still holds back an ack or an event."""
        return bool(self._later)

    def greet(self, text: str) -> None:
        """Send the frame that opens a connection."""
        self._send(text.encode())

    def receive(self, text: str) -> None:
        """Answer a frame of the client's."""
        answer = self.session.receive(text)
        if isinstance(answer, Accepted):
            fault = self._plan.take_one(
                "ack", self._loop.time(), wallets=answer.filters.users, connection=self.connection.number
            )
            if fault is None:
                self._grant(answer)
            else:
                self._grant_faulty(answer, fault)
        else:
            self._send(self._dialect.error(answer.code, answer.message))

    def offer(self, order: Executed) -> None:
        """Send an order to each subscription that it matches."""
        for subscription in self.session.matching(order):
            fault = self._plan.take_one(
                "event", self._loop.time(), wallets=(order.user,), connection=self.connection.number
            )
            if fault is None:
                frame = self._dialect.event(subscription, order.wire)
                self._send_event(Outgoing(frame=frame, order=order.seq, subscription=subscription))
            else:
                self._offer_faulty(order, subscription, fault)

    def strike(self, fault: Fault) -> None:
        """Let a fault that waited for the clock take effect."""
        if fault.kind in ("drop", "half_open"):
            self.connection.cut_now(fault)
        elif fault.kind == "error":
            self._send(self._dialect.error(fault.error, "injected fault"))
        else:
            self._send(fault.frame.encode())

    def close(self) -> None:
        """Forget the subscriptions, and enter what was still held back as not delivered."""
        self.session.close()
        self.connection.finish()
        for timer in list(self._later):
            timer.cancel()
            self._later.pop(timer)()
        self._release()

    def _send(self, frame: bytes) -> None:
        self.connection.enqueue(Outgoing(frame=frame))

    def _grant(self, accepted: Accepted) -> None:
        self.session.activate(accepted)
        if (accepted.action == "update" and not self._switches.ack_update) or (
            accepted.action == "unsubscribe" and not self._switches.ack_unsubscribe
        ):
            return
        self._send(self._dialect.ack(accepted.subscription))

    def _grant_faulty(self, accepted: Accepted, fault: Fault) -> None:
        if fault.kind == "delay_ack":
            self._after(fault.seconds, lambda: self._grant(accepted))
        elif fault.kind == "lose_ack":
            self.session.activate(accepted)
        elif fault.kind == "early_event":
            self.session.activate(accepted)
            self._owed_acks[accepted.subscription] = accepted
            self._after(fault.seconds, lambda: self._pay_ack(accepted.subscription))
        elif fault.kind == "error":
            self.session.revoke(accepted)
            self._send(self._dialect.error(fault.error, "injected fault"))
        elif fault.kind == "frame":
            self._send(fault.frame.encode())
            self._grant(accepted)
        else:
            self.connection.enqueue(Outgoing(cut=fault))

    def _pay_ack(self, subscription: str) -> None:
        accepted = self._owed_acks.pop(subscription, None)
        if accepted is not None:
            self._grant(accepted)

    def _offer_faulty(self, order: Executed, subscription: str, fault: Fault) -> None:
        tampered = tamper(fault.kind, order.wire, lambda data: self._dialect.event(subscription, data))
        item = Outgoing(
            frame=tampered.frame, order=order.seq, subscription=subscription, fault=fault.kind, intact=tampered.intact
        )
        if fault.kind == "lose_event":
            self.connection.lose(item)
        elif fault.kind == "delay_event":
            self._after(fault.seconds, lambda: self._send_event(item))
        elif fault.kind == "reorder":
            self._release()
            self._held = item
            self._after(fault.seconds, self._release)
        elif fault.kind in ("drop", "half_open"):
            self.connection.enqueue(Outgoing(cut=fault))
            self.connection.enqueue(item)
        else:
            self._send_altered(item, fault)

    def _send_altered(self, item: Outgoing, fault: Fault) -> None:
        if fault.kind == "frame":
            self._send(fault.frame.encode())
        if fault.kind == "duplicate":
            self._send_event(Outgoing(frame=item.frame, order=item.order, subscription=item.subscription))
        self._send_event(item)

    def _send_event(self, item: Outgoing) -> None:
        self.connection.enqueue(item)
        self._pay_ack(item.subscription)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self.connection.enqueue(held)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        def run() -> None:
            self._later.pop(timer, None)
            act()

        timer = self._loop.call_later(seconds, run)
        self._later[timer] = act
