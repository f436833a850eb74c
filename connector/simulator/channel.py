"""Shell: a connection together with its session, and the faults between them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from connector.simulator.connection import Outgoing
from connector.simulator.delay_line import DelayLine
from connector.simulator.protocol import Accepted
from connector.simulator.tamper import tamper

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from connector.simulator.book import Executed
    from connector.simulator.connection import Connection
    from connector.simulator.dialect import Dialect
    from connector.simulator.faults import Fault, Trigger
    from connector.simulator.plan import FaultPlan, Target
    from connector.simulator.protocol import ServerSession
    from connector.simulator.settings import Switches

_MOST_CONNECTIONS = 1_000_003
"""Seeds of different faults differ by this, so that their connections' draws do too."""


class Channel:
    """Answers one client and offers it the orders it subscribed to."""

    def __init__(
        self,
        connection: Connection,
        session: ServerSession,
        *,
        target: Target,
        dialect: Dialect,
        plan: FaultPlan,
        switches: Switches,
    ) -> None:
        self.connection = connection
        self.session = session
        self.target = target
        self._dialect = dialect
        self._plan = plan
        self._switches = switches
        self._loop = asyncio.get_running_loop()
        self._later: dict[asyncio.TimerHandle, Callable[[], None]] = {}
        self._line = DelayLine(connection.enqueue)
        self._held: Outgoing | None = None
        self._owed_acks: dict[str, Accepted] = {}
        self._idle: asyncio.TimerHandle | None = None

    @property
    def holding(self) -> bool:
        """Whether a fault still holds back an ack or an event."""
        return bool(self._later) or self._line.holding

    def opened(self) -> None:
        """Send the greeting, if there is one."""
        greeting = self._dialect.greeting if self._switches.greeting is None else self._switches.greeting
        if greeting is not None:
            self._send(greeting.encode())
        self._mind_idleness()

    def receive(self, text: str) -> None:
        """Answer a frame of the client's."""
        answer = self.session.receive(text)
        if isinstance(answer, Accepted):
            fault = self._strike("ack", answer.filters.users)
            if fault is None:
                self._grant(answer)
            else:
                self._grant_faulty(answer, fault)
        else:
            self._send(self._dialect.error(answer.code, answer.message))
        self._mind_idleness()

    def offer(self, order: Executed) -> None:
        """Send an order to each subscription that it matches."""
        for subscription in self.session.matching(order):
            status = self.session.status(subscription)
            for data in self._dialect.before(order, status, self._switches):
                self._line.push(Outgoing(frame=self._dialect.event(subscription, data)))
            if status == "pending":
                continue
            fault = self._strike("event", (order.user,))
            if fault is None:
                self._send_event(self._plain(order, subscription))
            else:
                self._offer_faulty(order, subscription, fault)
            for data in self._dialect.after(order, self._switches):
                self._line.push(Outgoing(frame=self._dialect.event(subscription, data)))

    def strike(self, fault: Fault) -> None:
        """Let a fault that waited for the clock take effect."""
        if fault.kind in ("drop", "half_open"):
            self.connection.cut_now(fault)
        elif fault.kind == "slow_connection":
            self.slow(fault)
        elif fault.kind == "error":
            self._send(self._dialect.error(fault.error, "injected fault"))
        else:
            self._send(fault.frame.encode())

    def slow(self, fault: Fault) -> None:
        """Delay every event from now on; each connection draws delays of its own."""
        draw = self._plan.draws(fault.seed * _MOST_CONNECTIONS + self.connection.number)
        self._line.slow(delay=fault.seconds, jitter=fault.jitter, draw=draw)

    def close(self) -> None:
        """Forget the subscriptions, and enter what was still held back as not delivered."""
        self.session.close()
        self.connection.finish()
        if self._idle is not None:
            self._idle.cancel()
        for timer in list(self._later):
            timer.cancel()
            self._later.pop(timer)()
        self._release()
        self._line.flush()

    def _strike(self, trigger: Trigger, wallets: Collection[str]) -> Fault | None:
        if not self._plan.waits(trigger):
            return None
        return self._plan.take_one(trigger, self._loop.time(), replace(self.target, wallets=wallets))

    def _mind_idleness(self) -> None:
        """Watch over a connection while it has no subscription, where the provider does."""
        code, seconds = self._dialect.idle_close, self._switches.idle_close
        if self._idle is not None and self.session.subscriptions:
            self._idle.cancel()
            self._idle = None
        elif code is not None and seconds and self._idle is None and not self.session.subscriptions:
            self._idle = self._loop.call_later(seconds, self.connection.close_soon, code, "idle")

    def _plain(self, order: Executed, subscription: str) -> Outgoing:
        frame = self._dialect.event(subscription, self._dialect.data(order))
        return Outgoing(frame=frame, order=order.seq, subscription=subscription)

    def _send(self, frame: bytes) -> None:
        self.connection.enqueue(Outgoing(frame=frame))

    def _grant(self, accepted: Accepted) -> None:
        self.session.activate(accepted)
        if self._dialect.acks(accepted.action, self._switches):
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
        tampered = tamper(fault.kind, self._dialect.data(order), lambda data: self._dialect.event(subscription, data))
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
            self._line.push(Outgoing(cut=fault))
            self._line.push(item)
        else:
            self._send_altered(item, fault)

    def _send_altered(self, item: Outgoing, fault: Fault) -> None:
        if fault.kind == "frame":
            self._send(fault.frame.encode())
        if fault.kind == "duplicate":
            self._send_event(Outgoing(frame=item.frame, order=item.order, subscription=item.subscription))
        self._send_event(item)

    def _send_event(self, item: Outgoing) -> None:
        self._line.push(item)
        self._pay_ack(item.subscription)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._line.push(held)

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        def run() -> None:
            self._later.pop(timer, None)
            act()

        timer = self._loop.call_later(seconds, run)
        self._later[timer] = act
