"""What the watch-list says, carried over into the shards and their coverage. Shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import structlog

from connector.contract.errors import InvalidRecord
from connector.contract.watch import decode_watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiokafka import ConsumerRecord

    from connector.contract.coverage import CoverageRecord
    from connector.contract.gap import Cause
    from connector.contract.watch import WatchRecord
    from connector.coverage import Coverage
    from connector.replica.ledger import Ledger
    from connector.replica.shard import Shard

_WALLET = re.compile(rb"0x[0-9a-f]{40}")

log = structlog.get_logger(__name__)


class Watchlist:
    """
    Applies records of the watch-list; one that cannot be read changes nothing but the log.

    Args:
        coverage: Of the wallets.
        ledger: Told of reports, and of checkpoints that end.
        now_ms: The provider's clock.
        doubt: Has wallets repaired that may lack orders of an interval (unix ms), for this cause.
    """

    def __init__(
        self,
        coverage: Coverage,
        ledger: Ledger,
        now_ms: Callable[[], int],
        doubt: Callable[[Iterable[str], tuple[int, int], Cause], None],
    ) -> None:
        self._coverage = coverage
        self._ledger = ledger
        self._now_ms = now_ms
        self._doubt = doubt
        self._early: dict[int, list[ConsumerRecord]] = {}

    def restored(
        self,
        shard: Shard,
        records: Iterable[ConsumerRecord],
        end: int,
        checkpoints: Mapping[str, CoverageRecord],
        cause: Cause,
    ) -> None:
        """Take in a partition that was read up to `end`, with the checkpoints of its wallets."""
        shard.listed.clear()
        listed_ms = {self._note(shard, record): record.timestamp for record in records}
        shard.list_end = end
        now_ms = self._now_ms()
        for wallet in shard.wallets:
            if wallet not in self._coverage:
                # Without a checkpoint, whoever watched it since it was listed died before it wrote one.
                self._begin(shard, wallet, checkpoints.get(wallet), cause, listed_ms.get(wallet))
        for wallet, checkpoint in checkpoints.items():
            if not shard.watches(wallet):
                self._coverage.watch(wallet, since_ms=None, checkpoint=checkpoint, cause=cause, now_ms=now_ms)
                ended = self._coverage.unwatch(wallet, now_ms)
                self._ledger.report(ended if checkpoint.gap is not None else ())
                self._ledger.erase(wallet)
        for record in self._early.pop(shard.number, ()):
            self.listed(shard, record)

    def listed(self, shard: Shard, record: ConsumerRecord) -> bool:
        """Take in one record; return whether it changed which wallets are watched."""
        if shard.list_end is None:
            self._early.setdefault(shard.number, []).append(record)
            return False
        if record.offset < shard.list_end:
            return False  # known from the take-over
        shard.list_end = record.offset + 1
        key = (record.key or b"").decode("ascii", "replace")
        before, entry = shard.watches(key), shard.listed.get(key)
        wallet = self._note(shard, record)
        if wallet is None:
            return False
        after = shard.watches(wallet)
        if after and not before:
            self._begin(shard, wallet, None, "added")
        elif before and not after:
            self._ledger.report(self._coverage.unwatch(wallet, self._now_ms()))
            self._ledger.erase(wallet)
        elif after:
            self._reach_back(shard, wallet, entry)
        return before != after

    def forget(self, partition: int) -> None:
        """Drop what waits for a partition that is not ours any more."""
        self._early.pop(partition, None)

    def _begin(
        self,
        shard: Shard,
        wallet: str,
        checkpoint: CoverageRecord | None,
        cause: Cause,
        listed_ms: int | None = None,
    ) -> None:
        self._ledger.report(
            self._coverage.watch(
                wallet,
                since_ms=shard.since_ms(wallet),
                checkpoint=checkpoint,
                cause=cause,
                now_ms=self._now_ms(),
                listed_ms=listed_ms,
            )
        )

    def _reach_back(self, shard: Shard, wallet: str, before: WatchRecord | None) -> None:
        """Fetch from an earlier time on, where the list says so now."""
        since_ms = shard.since_ms(wallet)
        if since_ms is not None and (before is None or before.since is None or since_ms < before.since * 1000):
            self._doubt([wallet], (since_ms, self._now_ms()), "added")

    def _note(self, shard: Shard, record: ConsumerRecord) -> str | None:
        """Enter a record into the list; return its wallet, or None if it cannot be read."""
        key = record.key or b""
        if not _WALLET.fullmatch(key):
            self._refuse(record, "the key should be an address in lower case, 0x and 40 hex digits")
            return None
        wallet = key.decode()
        if record.value is None:
            shard.listed.pop(wallet, None)
            return wallet
        try:
            shard.listed[wallet] = decode_watch(record.value)
        except InvalidRecord as error:
            self._refuse(record, str(error))
            return None
        return wallet

    @staticmethod
    def _refuse(record: ConsumerRecord, reason: str) -> None:
        log.error("watchlist.refused", partition=record.partition, offset=record.offset, reason=reason)
