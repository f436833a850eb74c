"""What a replica reads when it takes partitions over. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from connector.contract.coverage import decode_coverage
from connector.contract.errors import InvalidRecord
from connector.contract.keys import wallet_key
from connector.contract.record import decode_order
from connector.contract.topics import COVERAGE, ORDERS, WATCHLIST
from connector.kafka.reader import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiokafka import ConsumerRecord

    from connector.contract.coverage import CoverageRecord

_SMALL = 200
"""Records that are looked through at a stretch, where orders that come meanwhile must not wait."""
_NEVER_MS = 1 << 53
"""When a record will have been appended, of a log that has lost all it had."""

log = structlog.get_logger(__name__)


class Published(NamedTuple):
    """An order in the topic."""

    offset: int
    at_ms: int
    """When it was appended."""
    wallet: str
    event_id: str
    log_index: int | None


class Held(NamedTuple):
    """What a stretch of a partition of `orders.v1` holds of one wallet."""

    orders: dict[str, int | None]
    """`log_index` by event id."""
    since_ms: int
    """When the first record of the stretch was appended, whosever it is; 0: the log begins with it."""
    end: int
    """Offset after the stretch, which is the log's end."""


class Topics:
    """Reads partitions of our topics to their ends."""

    def __init__(self, bootstrap: str, prefix: str, security: Mapping[str, Any]) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._security = security

    async def watchlist(self, partition: int) -> tuple[dict[bytes, ConsumerRecord], int]:
        """Return the last record of each key, tombstones included, and the offset after them all."""
        latest: dict[bytes, ConsumerRecord] = {}
        topic = self._prefix + WATCHLIST.name
        async with reading(self._bootstrap, topic, partitions=[partition], **self._security) as batches:
            async for batch in batches:
                latest.update({record.key: record for record in batch if record.key is not None})
        return latest, batches.ends[partition]

    async def coverage(self, partition: int) -> dict[str, CoverageRecord]:
        """
        Return the checkpoint of each wallet that has one: the youngest by its own time.

        What a former owner had handed to its client when it was frozen can land after the next owner's.
        """
        found: dict[str, CoverageRecord] = {}
        topic = self._prefix + COVERAGE.name
        async with reading(self._bootstrap, topic, partitions=[partition], **self._security) as batches:
            async for batch in batches:
                for record in batch:
                    _keep_youngest(found, record)
        return found

    async def held(self, partition: int, wallet: str, *, last: int | None = None, begin: int | None = None) -> Held:
        """Return what is held of a wallet, in the `last` records or from an offset on; read in small steps."""
        key, orders, since_ms = wallet_key(wallet), dict[str, int | None](), 0
        bounds: dict[str, Any] = {"last": last, "begin": None if begin is None else {partition: begin}}
        topic = self._prefix + ORDERS.name
        async with reading(
            self._bootstrap, topic, partitions=[partition], batch=_SMALL, **bounds, **self._security
        ) as batches:
            async for batch in batches:
                since_ms = since_ms or batch[0].timestamp
                found = (_published(record) for record in batch if record.key == key)
                orders.update({each.event_id: each.log_index for each in found if each is not None})
                await asyncio.sleep(0)
        whole = batches.begins[partition] == 0
        return Held(orders, 0 if whole else since_ms or _NEVER_MS, batches.ends[partition])

    async def orders(
        self,
        partition: int,
        take: Callable[[Published], object],
        *,
        since_ms: int | None = None,
        begin: int | None = None,
        end: int | None = None,
    ) -> int:
        """
        Give `take` the orders since a time, or from an offset on, in the log's order; return the offset after them.

        `end` is where to stop before the end of the log.
        """
        bounds: dict[str, Any] = {
            "since_ms": since_ms,
            "begin": None if begin is None else {partition: begin},
            "until": None if end is None else {partition: end},
        }
        topic = self._prefix + ORDERS.name
        async with reading(self._bootstrap, topic, partitions=[partition], **bounds, **self._security) as batches:
            async for batch in batches:
                for record in batch:
                    published = _published(record)
                    if published is not None:
                        take(published)
                await asyncio.sleep(0)
        return batches.ends[partition]


def _published(record: ConsumerRecord) -> Published | None:
    try:
        order = decode_order(record.value or b"")
    except InvalidRecord as error:
        log.error("order.unreadable", partition=record.partition, offset=record.offset, error=str(error))  # noqa: TRY400
        return None  # not ours
    return Published(record.offset, record.timestamp, order.user, order.event_id, order.log_index)


def _keep_youngest(found: dict[str, CoverageRecord], record: ConsumerRecord) -> None:
    wallet = (record.key or b"").decode("ascii", "replace")
    if record.value is None:
        found.pop(wallet, None)
        return
    try:
        checkpoint = decode_coverage(record.value)
    except InvalidRecord as error:
        # Without its checkpoint the wallet counts as added now; to stop would lose the other wallets too.
        log.error("checkpoint.unreadable", partition=record.partition, offset=record.offset, error=str(error))  # noqa: TRY400
        return
    known = found.get(wallet)
    if known is None or known.at_ms <= checkpoint.at_ms:
        found[wallet] = checkpoint
