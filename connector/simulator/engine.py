"""Shell: executes orders on time, hands them to the open sockets, and lets faults strike."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

from connector.simulator.book import Book
from connector.simulator.plan import FaultPlan, Target
from connector.simulator.timeline import stamped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from connector.simulator.book import Executed
    from connector.simulator.channel import Channel
    from connector.simulator.faults import Fault
    from connector.simulator.settings import Switches
    from connector.simulator.timeline import Batch

_SECOND_NS = 1_000_000_000


class InvalidRow(Exception):
    """An order to execute lacks what the book needs; the message names the field."""


class Engine:
    """The book, the open channels and the faults, and what happens among them."""

    def __init__(self, *, switches: Switches, clock_ns: Callable[[], int], keep_deliveries: int | None = None) -> None:
        self.book = Book(keep_deliveries=keep_deliveries)
        self.plan = FaultPlan(lambda seed: Random(seed).random)  # noqa: S311 - seeded on purpose
        self.channels: dict[int, Channel] = {}
        """Open connections by number."""
        self.connections = 0
        """Number of the last connection that was opened."""
        self.behind = 0.0
        """Most seconds by which an execution was late."""
        self.playing = asyncio.Event()
        self._switches = switches
        self._clock_ns = clock_ns
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()

    def next_connection(self) -> int:
        """Return the number of a connection to be opened."""
        self.connections += 1
        return self.connections

    def open(self, channel: Channel) -> None:
        """Take up a connection."""
        self.channels[channel.connection.number] = channel
        self.plan.opened(channel.target, self._loop.time())
        self._changed.set()

    def execute(self, rows: Iterable[Mapping[str, Any]]) -> list[Executed]:
        """
        Execute orders now, in the order given, and offer each to every open channel.

        A row without `timestamp` gets the current second.

        Raises:
            InvalidRow: a row without `user`, or with a `timestamp` that is no integer; nothing is executed then.
        """
        rows = [_checked(row, self._clock_ns() // _SECOND_NS) for row in rows]
        return [self._execute_one(row) for row in rows]

    def inject(self, fault: Fault) -> None:
        """Arm a fault."""
        self.plan.inject(fault, self._loop.time())
        self._changed.set()

    def stats(self) -> dict[str, Any]:
        """Return counts of everything."""
        return {
            "orders": len(self.book.orders),
            "deliveries": self.book.delivered_in_all,
            "connections": len(self.channels),
            "subscriptions": sum(len(channel.session.subscriptions) for channel in self.channels.values()),
            "faults": self.plan.struck,
            "playing": self.playing.is_set(),
            "most_seconds_behind": round(self.behind, 6),
        }

    async def play(self, timeline: Iterator[Batch]) -> None:
        """Execute a timeline while `playing` is set; time stands still while it is not."""
        await self.playing.wait()
        start = self._loop.time()
        origin = self._clock_ns() / _SECOND_NS
        for batch in timeline:
            await asyncio.sleep(max(0.0, start + batch.at - self._loop.time()))
            if not self.playing.is_set():
                paused_at = self._loop.time()
                await self.playing.wait()
                pause = self._loop.time() - paused_at
                start, origin = start + pause, origin + pause
            self.behind = max(self.behind, self._loop.time() - start - batch.at)
            self.execute(stamped(batch, origin))

    async def strike(self) -> None:
        """Let the faults that wait for the clock strike, for ever."""
        while True:
            self._changed.clear()
            for fault in self.plan.due(self._loop.time(), self._targets()):
                for channel in list(self.channels.values()):
                    if channel.target.reached_by(fault):
                        channel.strike(fault)
            due = self.plan.next_due(self._targets())
            timeout = None if due is None else max(0.0, due - self._loop.time())
            try:
                await asyncio.wait_for(self._changed.wait(), timeout)
            except TimeoutError:
                continue

    async def ping(self) -> None:
        """Ping every connection at the interval of the switch, for ever."""
        while self._switches.ping_interval > 0:
            await asyncio.sleep(self._switches.ping_interval)
            for channel in list(self.channels.values()):
                await channel.connection.ping()

    def _targets(self) -> list[Target]:
        return [channel.target for channel in self.channels.values()]

    def _execute_one(self, row: Mapping[str, Any]) -> Executed:
        now_ns = self._clock_ns()
        faults = self.plan.take("execute", self._loop.time(), Target(wallets=(row["user"].lower(),)))
        lag = self._switches.rest_lag + sum(fault.seconds for fault in faults if fault.kind == "rest_late")
        order = self.book.add(
            row,
            executed_ns=now_ns,
            rest_ns=now_ns + round(lag * _SECOND_NS),
            withheld=any(fault.kind == "rest_withhold" for fault in faults),
            socket_indexes=self._switches.socket_indexes,
        )
        for channel in list(self.channels.values()):
            channel.offer(order)
        return order


def _checked(row: Mapping[str, Any], now: int) -> Mapping[str, Any]:
    if not isinstance(row.get("user"), str):
        raise InvalidRow("user: an order to execute needs its wallet's address as a text")
    if "timestamp" not in row:
        return {**row, "timestamp": now}
    if type(row["timestamp"]) is not int:
        raise InvalidRow(f"timestamp: expected whole unix seconds, got {row['timestamp']!r}")
    return row
