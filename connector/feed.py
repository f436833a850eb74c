"""
The feed: a session kept on a provider's socket. Shell.

Forever -> session -> connection, as three nested loops: `run` connects again and again with
backoff, the session outlives the connections, and on each connection one reader and one
watchman (acks, pings, silence) take turns.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from connector.commands import Acknowledged, Bury, Command, Deliver, Drop, Ping, Refused, Send
from connector.session import State
from connector.websocket import Disconnected

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from connector.backoff import Backoff
    from connector.intake import Intake, Outgoing
    from connector.session import Session
    from connector.websocket import Socket

_STALL = 0.1
"""Seconds of waiting for Kafka that count as not having listened."""

log = structlog.get_logger(__name__)


class Sink(Protocol):
    """Where records go; it keeps the order of the calls."""

    async def publish(self, record: Outgoing) -> None:
        """Take a record; wait while there is no room."""


class Feed:
    """
    Orders from one provider's socket to a sink.

    Args:
        session: With its subscriptions.
        open_socket: Makes a connection; raises `Disconnected` to be tried again.
        healthy_spell: Seconds of connection after which the backoff starts over, as it does
            with every order that is new.
    """

    def __init__(
        self,
        *,
        session: Session,
        intake: Intake,
        sink: Sink,
        open_socket: Callable[[], AbstractAsyncContextManager[Socket]],
        backoff: Backoff,
        healthy_spell: float,
    ) -> None:
        self._session = session
        self._intake = intake
        self._sink = sink
        self._open_socket = open_socket
        self._backoff = backoff
        self._healthy_spell = healthy_spell
        self._clock = asyncio.get_running_loop().time
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._socket: Socket | None = None
        self._drop_reason: str | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """
        Read until `stop`. Errors may come in an `ExceptionGroup`.

        Raises:
            ProviderRefused: the provider turned the key away.
            PublishFailed: the sink failed for good.
        """
        self._task = asyncio.current_task()
        while True:
            reason = await self._connection()
            if self._stopping:
                return
            delay = self._backoff.next_delay()
            log.warning("feed.disconnected", reason=reason, retry_in=round(delay, 3))
            await asyncio.sleep(delay)

    async def stop(self) -> None:
        """Close the socket; `run` publishes what had reached it, then returns. Without one, cancel `run`."""
        self._stopping = True
        if self._socket is not None:
            await self._socket.close()
        elif self._task is not None:
            self._task.cancel()

    async def _connection(self) -> str:
        """Run one connection from attempt to end, and return why it ended."""
        self._session.connecting()
        self._drop_reason = None
        started = math.inf
        try:
            async with self._open_socket() as socket:
                self._socket, started = socket, self._clock()
                return await self._converse(socket)
        except Disconnected as error:
            return str(error)
        finally:
            self._socket = None
            self._session.closed()
            if self._clock() - started >= self._healthy_spell:
                self._backoff.reset()

    async def _converse(self, socket: Socket) -> str:
        async with asyncio.TaskGroup() as tasks:
            await self._act(socket, tasks, self._session.opened(self._clock()))
            watchman = tasks.create_task(self._watch(socket, tasks))
            reason = await self._read(socket, tasks)
            watchman.cancel()
        return self._drop_reason or reason

    async def _read(self, socket: Socket, tasks: asyncio.TaskGroup) -> str:
        while True:
            try:
                raw = await socket.recv()
            except Disconnected as error:
                return str(error)
            received_ns = time.time_ns()
            async with self._turn:
                await self._act(socket, tasks, self._session.received(raw, received_ns=received_ns, now=self._clock()))

    async def _watch(self, socket: Socket, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._changed.clear()
            deadline = self._session.deadline
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline if deadline < math.inf else None):
                    await self._changed.wait()
            # The reader may hold the turn for long, while Kafka is away: no deadline passes meanwhile.
            async with self._turn:
                await self._act(socket, tasks, self._session.tick(self._clock()))

    async def _act(self, socket: Socket, tasks: asyncio.TaskGroup, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Deliver):
                record = self._intake.order(command)
                if record is not None and record.fault is None:
                    self._backoff.reset()
                await self._publish(record)
                continue
            if isinstance(command, Bury):
                await self._publish(self._intake.dead(command))
            elif isinstance(command, Drop):
                self._drop_reason = command.reason
                # Not awaited here: closing needs the reader to go on.
                tasks.create_task(socket.close())
            elif isinstance(command, Send | Ping):
                await self._say(socket, command)
            else:
                self._report(command)
            self._changed.set()

    async def _publish(self, record: Outgoing | None) -> None:
        if record is None:
            return
        if record.fault is not None:
            log.warning("frame.dead", fault=record.fault)
        started = self._clock()
        await self._sink.publish(record)
        if (waited := self._clock() - started) > _STALL:
            self._session.stalled(waited, self._clock())

    async def _say(self, socket: Socket, command: Send | Ping) -> None:
        # A connection that is gone is the reader's to notice, after what it had brought.
        with suppress(Disconnected):
            if isinstance(command, Send):
                await socket.send(command.frame)
            else:
                asyncio.ensure_future(await socket.ping()).add_done_callback(self._ponged)

    def _ponged(self, pong: asyncio.Future[float]) -> None:
        if not pong.cancelled() and pong.exception() is None:
            self._session.heard(self._clock())

    def _report(self, command: Acknowledged | Refused) -> None:
        if isinstance(command, Refused):
            log.error(
                "subscription.refused",
                subscription=command.name,
                action=command.action,
                code=command.code,
                message=command.message,
                wallets=command.wallets,
            )
        elif self._session.state is State.LIVE:
            log.info("feed.live", connection=self._session.connection)
