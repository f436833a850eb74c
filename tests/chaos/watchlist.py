"""The watch-list as any service writes it: records and tombstones on `watchlist.v1`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from aiokafka import AIOKafkaProducer

from connector.contract.keys import wallet_key
from connector.contract.record import encode
from connector.contract.topics import WATCHLIST
from connector.contract.watch import WatchRecord
from tests.chaos.journal import now_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.journal import Journal

_TIMEOUT_MS = 60_000


class WatchList:
    """Adds and removes wallets, and enters into the journal when."""

    def __init__(self, bootstrap: str, journal: Journal) -> None:
        self._journal = journal
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, request_timeout_ms=_TIMEOUT_MS
        )

    async def add(self, wallets: Iterable[str], *, since_ms: int | None = None) -> None:
        """Add wallets, with all orders from `since_ms` on, else from now on."""
        for wallet in wallets:
            since = None if since_ms is None else -(-since_ms // 1_000)
            record = WatchRecord(wallet=wallet, since=since)
            # Entered before it is sent: the watch begins at the latest when it is acknowledged.
            self._journal.watched(wallet, added_ms=now_ms(), since_ms=None if since is None else since * 1_000)
            await self._producer.send_and_wait(WATCHLIST.name, encode(record), wallet_key(wallet))

    async def remove(self, wallets: Iterable[str]) -> None:
        """Remove wallets."""
        for wallet in wallets:
            self._journal.removed(wallet, now_ms())
            await self._producer.send_and_wait(WATCHLIST.name, None, wallet_key(wallet))

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()
