r"""
The session: frames and clock readings in, commands and events out. No I/O, no clock.

    CLOSED -> CONNECTING -> SUBSCRIBING <-> LIVE -> CLOSING -> CLOSED
                   \___________\______________________________/

The shell calls a method for each thing that happens, carries out the commands it gets back in
their order, and calls `tick` when `deadline` is reached. A session outlives its connections:
after each reconnect it asks again for the payload in force.

Orders that a provider sends while no connection is up do not come back by themselves; this
module delivers what reached the socket, no more.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from connector.commands import Bury, Command, Deliver, Drop, Ping, Send
from connector.contract.provenance import Provenance
from connector.dialects import Ack, Event, Message, Refusal, Unreadable
from connector.subscriptions import Subscriptions, Wallets
from connector.wire import BadFrame, decode_frame

if TYPE_CHECKING:
    from connector.dedupe import Channel
    from connector.dialects import Dialect


class State(Enum):
    """Where a session is."""

    CLOSED = auto()
    CONNECTING = auto()
    SUBSCRIBING = auto()
    LIVE = auto()
    CLOSING = auto()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds."""

    ack_timeout: float = 10.0
    """Until a request without ack makes us reconnect; both official clients wait as long."""
    ping_interval: float = 10.0
    """Of silence, until we ask for a sign of life."""
    idle_timeout: float = 30.0
    """Without any frame or pong, until the connection counts as dead."""
    retry_refused: float = 60.0
    """Until a refused subscription is asked for again."""
    max_frame_bytes: int = 256 * 1024


class Session:
    """A feed's life on a provider's socket, over any number of connections."""

    def __init__(self, dialect: Dialect, limits: Limits, *, provider: str) -> None:
        self.state = State.CLOSED
        self.connection = 0
        """Number of the current connection, from 1."""
        self._dialect = dialect
        self._limits = limits
        self._provider = provider
        self._heard = self._pinged = -math.inf
        self._channels: dict[str, Channel] = {}
        self._subscriptions = Subscriptions(dialect, ack_timeout=limits.ack_timeout, retry_refused=limits.retry_refused)

    @property
    def payload_in_force(self) -> dict[str, Wallets]:
        """Wallets of each subscription: the initial ones, or those of the last acknowledged update."""
        return self._subscriptions.payload_in_force()

    @property
    def deadline(self) -> float:
        """When to call `tick`; infinite while there is no connection to watch."""
        if self.state not in (State.SUBSCRIBING, State.LIVE):
            return math.inf
        return min(
            max(self._heard, self._pinged) + self._limits.ping_interval,
            self._heard + self._limits.idle_timeout,
            self._subscriptions.deadline(),
        )

    def connecting(self) -> None:
        """A connection is being made."""
        self._expect(State.CLOSED)
        self.state = State.CONNECTING

    def opened(self, now: float) -> list[Command]:
        """The connection is up: ask for everything in force."""
        self._expect(State.CONNECTING)
        self.state = State.LIVE
        self.connection += 1
        self._heard = now
        return self._ask(now)

    def closed(self) -> None:
        """The connection is down, or could not be made."""
        self.state = State.CLOSED
        self._channels.clear()
        self._subscriptions.disconnected()

    def close(self, reason: str) -> list[Command]:
        """Close the connection, if there is one."""
        if self.state not in (State.SUBSCRIBING, State.LIVE):
            return []
        self.state = State.CLOSING
        return [Drop(reason)]

    def heard(self, now: float) -> None:
        """A pong came."""
        self._heard = now

    def stalled(self, seconds: float, now: float) -> None:
        """Nothing was read for a while because we could not take more: the provider is not to blame."""
        self._heard = now
        self._subscriptions.postpone(seconds)

    def received(self, raw: bytes, *, received_ns: int, now: float) -> list[Command]:
        """A frame came; `received_ns` is the wall clock's reading."""
        self._heard = now
        try:
            message = self._dialect.classify(decode_frame(raw, max_bytes=self._limits.max_frame_bytes))
        except BadFrame as error:
            message = Unreadable(error.reason, error.detail)
        if type(message) is Event:
            channel = self._channel(message.subscription_id or "")
            return [Deliver(raw, message.data, channel, self._provenance(message.subscription_id, received_ns))]
        return self._answer(raw, message, received_ns, now)

    def tick(self, now: float) -> list[Command]:
        """The clock reached `deadline`."""
        if now < self.deadline or self.state not in (State.SUBSCRIBING, State.LIVE):
            return []
        if overdue := self._subscriptions.overdue(now):
            names = ", ".join(each.name for each in overdue)
            return [*overdue, *self.close(f"no ack of {names} within {self._limits.ack_timeout:g} s")]
        if now >= self._heard + self._limits.idle_timeout:
            return self.close(f"no frame and no pong for {self._limits.idle_timeout:g} s")
        commands = self._ask(now)
        if now >= max(self._heard, self._pinged) + self._limits.ping_interval:
            self._pinged = now
            commands.append(Ping())
        return commands

    def subscribe(self, name: str, wallets: Wallets, now: float) -> list[Command]:
        """Add a subscription under a name of ours."""
        self._subscriptions.subscribe(name, wallets)
        return self._ask(now)

    def update(self, name: str, wallets: Wallets, now: float) -> list[Command]:
        """Replace a subscription's wallets."""
        self._subscriptions.update(name, wallets)
        return self._ask(now)

    def unsubscribe(self, name: str, now: float) -> list[Command]:
        """End a subscription."""
        return self._sendable(self._subscriptions.unsubscribe(name)) + self._ask(now)

    def _answer(self, raw: bytes, message: Message, received_ns: int, now: float) -> list[Command]:
        answer: list[Command] | None = None
        if isinstance(message, Unreadable):
            reason, detail = message.reason, message.detail
        elif isinstance(message, Ack):
            answer = self._subscriptions.acknowledged(message.subscription_id)
            reason, detail = "unexpected-ack", "no request is open that this could answer"
        elif isinstance(message, Refusal):
            answer = self._subscriptions.refused(message, now)
            reason, detail = "provider-error", f"{message.code}: {message.message}"
        if answer is None:
            return [Bury(raw, reason, detail, self._provenance(None, received_ns))]
        return self._sendable(answer) + self._ask(now)

    def _ask(self, now: float) -> list[Command]:
        if self.state not in (State.SUBSCRIBING, State.LIVE):
            return []
        requests = self._subscriptions.requests(now)
        self.state = State.LIVE if self._subscriptions.settled else State.SUBSCRIBING
        return requests

    def _sendable(self, commands: list[Command]) -> list[Command]:
        """Leave out what can no longer be sent; the connection's end cancels it anyway."""
        if self.state in (State.SUBSCRIBING, State.LIVE):
            return commands
        return [command for command in commands if not isinstance(command, Send)]

    def _channel(self, subscription_id: str) -> Channel:
        channel = self._channels.get(subscription_id)
        if channel is None:
            channel = self._channels[subscription_id] = (self.connection, subscription_id)
        return channel

    def _provenance(self, subscription_id: str | None, received_ns: int) -> Provenance:
        return Provenance(
            source="ws", provider=self._provider, received_ns=received_ns, subscription_id=subscription_id
        )

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise AssertionError(f"session is {self.state.name}, expected {state.name}")
