r"""
The session: frames and clock readings in, commands and events out. No I/O, no clock.

    CLOSED -> CONNECTING -> SUBSCRIBING <-> LIVE -> CLOSING -> CLOSED
                   \___________\______________________________/

The shell calls a method for each thing that happens, carries out the commands it gets back in
their order, and calls `tick` when `deadline` is reached. A session outlives its connections:
after each reconnect it asks for what was in force, and then for what was not yet. What the provider
delivers for certain is told by `Live` and `Lost`.

Orders that a provider sends while no connection is up do not come back by themselves; this
module delivers what reached the socket, no more.
"""

from __future__ import annotations

import math
from collections import Counter
from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

from connector.commands import Bury, Command, Deliver, Drop, Lost, Ping, Send, TurnedAway
from connector.contract.provenance import Provenance
from connector.dialects import Ack, Event, Ignored, Message, Refusal, Unreadable
from connector.subscriptions import Subscriptions
from connector.wire import BadFrame, decode_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.contract.gap import Cause
    from connector.dedupe import Channel
    from connector.dialects import Dialect
    from connector.subscription import Wallets


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
    """Until a refused request is made again."""
    retry_busy: float = 5.0
    """The same where the provider said: not now."""
    max_frame_bytes: int = 256 * 1024


class Session:
    """A feed's life on a provider's socket, over any number of connections."""

    def __init__(self, dialect: Dialect, limits: Limits, *, provider: str, name: str = "") -> None:
        self.state = State.CLOSED
        self.connection = 0
        """Number of the current connection, from 1."""
        self.ignored: Counter[str] = Counter()
        """Messages that are known and of no use, by what they were."""
        self._dialect = dialect
        self._limits = limits
        self._provider = provider
        self._name = name
        self.cause: Cause = "disconnect"
        """Why the current connection ends, or ended."""
        self._heard = self._pinged = -math.inf
        self._channels: dict[str, Channel] = {}
        self._subscriptions = Subscriptions(
            dialect,
            ack_timeout=limits.ack_timeout,
            retry_refused=limits.retry_refused,
            retry_busy=limits.retry_busy,
        )

    @property
    def needed(self) -> bool:
        """Whether any wallet is wanted."""
        return self._subscriptions.wanted

    @property
    def confirmed(self) -> int:
        """How many subscriptions the provider has confirmed."""
        return self._subscriptions.confirmed

    def in_force(self, subscription_id: str | None = None) -> Wallets:
        """Return the wallets that a subscription delivers; of an unknown one, or of none, all of the socket."""
        return self._subscriptions.in_force(subscription_id)

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
        self.cause = "disconnect"

    def opened(self, now: float) -> list[Command]:
        """The connection is up: ask for everything."""
        self._expect(State.CONNECTING)
        self.state = State.LIVE
        self.connection += 1
        self._heard = now
        return self._ask(now)

    def closed(self) -> list[Command]:
        """The connection is down, or could not be made."""
        self.state = State.CLOSED
        self._channels.clear()
        lost = self._subscriptions.disconnected()
        return [Lost(lost, self.cause)] if lost else []

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
            frame = decode_frame(raw, max_bytes=self._limits.max_frame_bytes)
        except BadFrame as error:
            return [self._bury(raw, error.reason, error.detail, None, received_ns)]
        message = self._dialect.classify(frame)
        if type(message) is Event:
            channel = self._channel(message.subscription_id or "")
            return [Deliver(raw, message.data, channel, self._provenance(message.subscription_id, received_ns))]
        if type(message) is Unreadable:
            return [self._bury(raw, message.reason, message.detail, frame.get("subscription_id"), received_ns)]
        return self._answer(raw, message, received_ns, now)

    def tick(self, now: float) -> list[Command]:
        """The clock reached `deadline`."""
        if now < self.deadline or self.state not in (State.SUBSCRIBING, State.LIVE):
            return []
        if overdue := self._subscriptions.overdue(now):
            return [overdue, *self.close(f"no ack of {overdue.name} within {self._limits.ack_timeout:g} s")]
        if now >= self._heard + self._limits.idle_timeout:
            self.cause = "silence"
            return self.close(f"no frame and no pong for {self._limits.idle_timeout:g} s")
        commands = self._ask(now)
        if now >= max(self._heard, self._pinged) + self._limits.ping_interval:
            self._pinged = now
            commands.append(Ping())
        return commands

    def want(self, wishes: Mapping[str, Wallets], now: float) -> list[Command]:
        """
        Replace the wallets wanted of some subscriptions, under names of ours.

        A new name is a new subscription, no wallets end one; of several wishes in a row the last one counts.
        """
        self._subscriptions.want(wishes)
        return self._ask(now)

    def _answer(self, raw: bytes, message: Message, received_ns: int, now: float) -> list[Command]:
        answer: list[Command] | None = []
        reason = detail = ""
        if isinstance(message, Ack):
            answer = self._subscriptions.acknowledged(message.subscription_id)
            reason, detail = "unexpected-ack", "no request is open that this could answer"
        elif isinstance(message, Refusal):
            if message.severity == "fatal":
                return [TurnedAway(message.code, message.message), *self.close(f"{message.code}: {message.message}")]
            answer = self._subscriptions.refused(message, now)
            reason, detail = "provider-error", f"{message.code}: {message.message}"
        elif isinstance(message, Ignored):
            self.ignored[message.what] += 1
        if answer is None:
            return [self._bury(raw, reason, detail, None, received_ns)]
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

    def _bury(self, raw: bytes, reason: str, detail: str, subscription_id: object, received_ns: int) -> Bury:
        known = subscription_id if isinstance(subscription_id, str) else None
        return Bury(raw, reason, detail, self._provenance(known, received_ns), self.in_force(known))

    def _channel(self, subscription_id: str) -> Channel:
        channel = self._channels.get(subscription_id)
        if channel is None:
            channel = self._channels[subscription_id] = (self._name, self.connection, subscription_id)
        return channel

    def _provenance(self, subscription_id: str | None, received_ns: int) -> Provenance:
        return Provenance(
            source="ws", provider=self._provider, received_ns=received_ns, subscription_id=subscription_id
        )

    def _expect(self, state: State) -> None:
        if self.state is not state:
            raise AssertionError(f"session is {self.state.name}, expected {state.name}")
