"""One owned partition: its wallets, the memory of what was published to it, and deliveries that wait."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.commands import Deliver
    from connector.contract.order import Order
    from connector.contract.watch import WatchRecord
    from connector.dedupe import Memory


class Shard:
    """
    State of a partition from its take-over until another replica has it.

    Args:
        number: Of the partition.
        static: Wallets of the settings that belong to it.
    """

    def __init__(self, number: int, static: frozenset[str]) -> None:
        self.number = number
        self.listed: dict[str, WatchRecord] = {}
        """By wallet, from the watch-list."""
        self.list_end: int | None = None
        """Offset up to which the watch-list is known; None: not read yet."""
        self.memory: Memory | None = None
        self.end = 0
        """Offset of `orders.v1` up to which the memory knows everything."""
        self.ahead: set[int] = set()
        """Offsets of our own orders beyond `end`."""
        self.known = False
        """Whether the memory is complete, up to `end`."""
        self.accepting = False
        """Whether orders may be decided on; what was decided on may be published also afterwards."""
        self.waiting: deque[tuple[Order, Deliver]] = deque()
        """Orders of sockets that came while it was not accepting."""
        self.foreign: set[str] = set()
        """Ids of orders that others published while we were not sure to own the partition."""
        self._static = static
        self._deciding = 0
        self._decided = asyncio.Event()

    @property
    def wallets(self) -> frozenset[str]:
        """Wallets to watch."""
        return self._static.union(self.listed)

    def watches(self, wallet: str) -> bool:
        """Return whether a wallet is to be watched."""
        return wallet in self.listed or wallet in self._static

    def label(self, wallet: str) -> str | None:
        """Return what the watch-list calls a wallet."""
        record = self.listed.get(wallet)
        return None if record is None else record.label

    def since_ms(self, wallet: str) -> int | None:
        """Return from when on orders are wanted, if the watch-list says so."""
        record = self.listed.get(wallet)
        return None if record is None or record.since is None else record.since * 1000

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Hold off a hand-over until what is decided on within is handed to the publisher."""
        self._deciding += 1
        try:
            yield
        finally:
            self._deciding -= 1
            self._decided.set()

    async def decided(self) -> None:
        """Wait until nothing is being decided on."""
        while self._deciding:
            self._decided.clear()
            await self._decided.wait()

    def acknowledged(self, offset: int) -> bool:
        """Take note of the offset of an order of ours; False when somebody else published before it."""
        if offset == self.end and not self.ahead:
            self.end += 1
        elif offset >= self.end:
            self.ahead.add(offset)
            self.reach(self.end)
        return not self.ahead

    def reach(self, end: int) -> None:
        """Take note that the memory knows everything up to an offset."""
        self.end = max(self.end, end)
        self.ahead = {offset for offset in self.ahead if offset >= self.end}
        while self.end in self.ahead:
            self.ahead.remove(self.end)
            self.end += 1
