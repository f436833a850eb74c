"""
The feed: a session kept on a provider's socket. Shell.

Forever -> session -> connection, as three nested loops: `run` connects again and again with
backoff, the session outlives the connections, and on each connection one reader and one
watchman (acks, pings, silence) take turns. While nothing is wanted there is no connection.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import structlog

from connector.announcer import Announcer
from connector.backoff import Patience
from connector.commands import Acknowledged, Bury, Command, Deliver, Drop, Ping, Send, TurnedAway
from connector.errors import ProviderRefused
from connector.evidence import Evidence
from connector.meters import SocketMeter
from connector.metrics import UNREAD, Metrics
from connector.outbox import Outbox
from connector.websocket import Disconnected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from connector.backoff import Backoff
    from connector.listeners import Observer, Receiver
    from connector.process.mask import Mask
    from connector.session import Session
    from connector.subscription import Wallets
    from connector.websocket import Socket

_PAUSE = 0.1
"""Seconds of waiting for the receiver that count as not having listened."""
_STALL = 5.0
"""Seconds of not listening after which the provider may have dropped what we did not take."""
_PULSE = 1.0
"""Seconds between two looks at the clock, which tell a process that was frozen."""
_NOTHING_WANTED = "nothing to watch"

log = structlog.get_logger(__name__)


class Feed:
    """
    Orders from one provider's socket to a receiver.

    Args:
        name: Of the socket.
        session: Says what to do.
        receiver: Gets orders and dead letters.
        observer: Hears what is delivered and proven.
        open_socket: Makes a connection; raises `Disconnected` to be tried again.
        backoff: Delays between attempts to connect.
        healthy_spell: Seconds of connection after which the backoff starts over, as it does
            with every order that is new.
        mask: Blots out the keys in what providers say.
        patience: Seconds for which a key that had worked may be refused.
        metrics: Told of frames, connections and their ends.
    """

    def __init__(
        self,
        *,
        name: str,
        session: Session,
        receiver: Receiver,
        observer: Observer,
        open_socket: Callable[[], AbstractAsyncContextManager[Socket]],
        backoff: Backoff,
        healthy_spell: float,
        mask: Mask,
        patience: float = 60.0,
        metrics: Metrics = UNREAD,
    ) -> None:
        self.name = name
        self.session = session
        self._receiver = receiver
        self._observer = observer
        self._open_socket = open_socket
        self._backoff = backoff
        self._healthy_spell = healthy_spell
        self._mask = mask
        self._patience = Patience(patience)
        self._meter = SocketMeter(metrics.sockets, name)
        self._announcer = Announcer(name, session, observer, mask)
        self._clock = asyncio.get_running_loop().time
        self._evidence = Evidence(lambda at: observer.proven(name, at))
        self._changed = asyncio.Event()
        self._needed = asyncio.Event()
        self._outbox = Outbox(self._ponged)
        self._receiving = False
        self._pulse = math.inf
        self._tried_at: float | None = None
        """When an attempt began or ended at last; None: there is nothing to do."""
        self._socket: Socket | None = None
        self._refusal: ProviderRefused | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def moved_at(self) -> float | None:
        """When it was last seen at work, by the loop's clock, be it waiting for a provider; None: it has none to do."""
        return self._tried_at if self._socket is None else self._pulse

    def want(self, wishes: Mapping[str, Wallets]) -> None:
        """Replace the wallets of some subscriptions; no wallets end one. It reaches the wire at once."""
        commands = self.session.want(wishes, self._clock())
        if self.session.needed:
            self._needed.set()
        else:
            self._needed.clear()
            commands += self.session.close(_NOTHING_WANTED)
        self._note(commands)

    async def run(self) -> None:
        """
        Read until `stop`. Errors may come in an `ExceptionGroup`.

        Raises:
            ProviderRefused: the provider turned the key away.
            PublishFailed: the receiver failed for good.
        """
        self._task = asyncio.current_task()
        while not self._stopping:
            self._tried_at = None
            await self._needed.wait()
            self._tried_at = self._clock()
            await self._attempt()

    async def stop(self) -> None:
        """Close the socket; `run` hands over what had reached it, then returns. Without one, cancel `run`."""
        self._stopping = True
        if self._socket is not None:
            await self._socket.close()
        elif self._task is not None:
            self._task.cancel()

    async def _attempt(self) -> None:
        """Run one connection, and wait as long as its end demands."""
        reason = self._mask.text(await self._connection())
        self._tried_at = self._clock()
        if self._refusal is not None and self._patience.refused(self._clock()):
            raise self._refusal
        if self._stopping or self._outbox.dropped == _NOTHING_WANTED:
            return
        delay = self._backoff.next_delay()
        log.warning("feed.disconnected", socket=self.name, reason=reason, retry_in=round(delay, 3))
        await asyncio.sleep(delay)

    async def _connection(self) -> str:
        """Run one connection from attempt to end, and return why it ended."""
        self.session.connecting()
        self._outbox.clear()
        self._refusal = None
        started = math.inf
        try:
            async with self._open_socket() as socket:
                self._socket, started = socket, self._clock()
                self._evidence.opened(started)
                self._meter.connections.inc()
                if socket.date is not None:
                    self._observer.provider_date(socket.date, started)
                return await self._converse(socket)
        except Disconnected as error:
            return str(error)
        except ProviderRefused as error:
            return self._refuse(str(error))
        finally:
            self._socket = None
            self._evidence.ended()
            self._count_end(connected=started < math.inf)
            self._note(self.session.closed())
            if self._clock() - started >= self._healthy_spell:
                self._backoff.reset()

    def _count_end(self, *, connected: bool) -> None:
        if not connected:
            self._meter.failures.inc()
        elif self._refusal is not None:
            self._meter.ends["refused"].inc()
        elif self._stopping or self._outbox.dropped == _NOTHING_WANTED:
            self._meter.ends["unwanted"].inc()
        else:
            self._meter.ends["silence" if self.session.cause == "silence" else "disconnect"].inc()

    async def _converse(self, socket: Socket) -> str:
        async with asyncio.TaskGroup() as tasks:
            self._pulse = self._clock()
            self._note(self.session.opened(self._pulse))
            if not self.session.needed:
                self._note(self.session.close(_NOTHING_WANTED))
            watchman = tasks.create_task(self._watch(socket, tasks))
            reason = await self._read(socket, tasks)
            watchman.cancel()
        return self._outbox.dropped or reason

    async def _read(self, socket: Socket, tasks: asyncio.TaskGroup) -> str:
        while True:
            self._evidence.waiting()
            try:
                raw = await socket.recv()
            except Disconnected as error:
                return str(error)
            except ProviderRefused as error:
                return self._refuse(str(error))
            received_ns = time.time_ns()
            self._meter.frames.inc()
            now = self._clock()
            self._evidence.read(self._beat(now))
            for command in self.session.received(raw, received_ns=received_ns, now=now):
                if isinstance(command, Deliver | Bury):
                    await self._hand_over(command, now)
                else:
                    self._note([command])
            if self._outbox:
                await self._outbox.flush(socket, tasks)

    async def _watch(self, socket: Socket, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._outbox.flush(socket, tasks)
            self._changed.clear()
            # While the receiver has no room, nothing is read: no deadline passes.
            deadline = math.inf if self._receiving else self.session.deadline
            due = min(deadline, self._pulse + _PULSE)
            try:
                async with asyncio.timeout_at(due):
                    await self._changed.wait()
                now = self._clock()
            except TimeoutError:
                now = max(self._clock(), due)  # a timer may go off early, by the clock's resolution
            self._beat(now)
            if not self._receiving:
                self._note(self.session.tick(now))

    async def _hand_over(self, command: Deliver | Bury, now: float) -> None:
        self._receiving = True
        if isinstance(command, Bury):
            await self._receiver.dead(command, command.wallets)
        elif await self._receiver.order(command):
            self._backoff.reset()
        self._receiving = False
        if (waited := self._clock() - now) > _PAUSE:
            self._listening_again(waited)

    def _beat(self, now: float) -> float:
        """
        Look at the clock: after a long time without a look, the process was frozen.

        Returns:
            The earliest time at which something that was noticed now can have arrived.
        """
        before, self._pulse = self._pulse, now
        if now < before + _STALL:
            return now
        self._listening_again(now - before)
        return before

    def _listening_again(self, waited: float) -> None:
        now = self._clock()
        self.session.stalled(waited, now)
        if waited >= _STALL:
            self._announcer.stalled(now - waited)

    def _note(self, commands: list[Command]) -> None:
        """Pass on what happened; what is to be said waits in the outbox."""
        for command in commands:
            if isinstance(command, Send | Ping | Drop):
                self._outbox.add(command)
                self._changed.set()
            elif isinstance(command, TurnedAway):
                self._refuse(f"the provider turned the API key away, check API_KEY: {command.code} {command.message}")
            elif not isinstance(command, Deliver | Bury):
                if isinstance(command, Acknowledged) and self._refusal is None:
                    self._patience.accepted()
                self._announcer.announce(command, self._evidence.proven_at)

    def _refuse(self, reason: str) -> str:
        self._refusal = ProviderRefused(self._mask.text(reason))
        return reason

    def _ponged(self) -> None:
        now = self._clock()
        arrived = self._beat(now)
        self.session.heard(now)
        self._evidence.pong(arrived)
