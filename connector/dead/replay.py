"""Publishes the orders that dead letters turned out to hold, unless they are published already. Shell."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec
from aiokafka import AIOKafkaProducer

from connector.contract.errors import InvalidRecord
from connector.contract.identity import content_id
from connector.contract.keys import wallet_key
from connector.contract.provenance import Provenance
from connector.contract.record import decode_order, encode, order_record
from connector.contract.topics import DAY_MS, ORDERS
from connector.dead.reread import Result
from connector.dedupe import Memory, Verdict
from connector.kafka.admin import partitions_of
from connector.kafka.partitioner import partitioner
from connector.kafka.reader import reading

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from aiokafka.structs import ConsumerRecord, RecordMetadata

    from connector.contract.record import OrderRecord
    from connector.dead.reread import Found
    from connector.kafka.settings import KafkaSettings

_CLIENT_ID = "walletstream-dead"
_MARGIN_MS = 60_000
"""The provider's clock and the broker's may differ by so much."""
_FORGOTTEN_MS = (ORDERS.retention_ms or 0) - DAY_MS


class _Planned(msgspec.Struct, frozen=True):
    """An order to publish."""

    place: str
    partition: int
    event_id: str
    key: bytes
    value: bytes
    provenance: Provenance


class Replay:
    """One replay into the orders topic of a deployment; `results` by the letters' places."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._security = settings.client()
        self._topic = settings.topic_prefix + ORDERS.name
        self._planned: list[_Planned] = []
        self._read_to: dict[int, int] = {}
        self.results: dict[str, Result] = {}

    async def plan(self, found: Mapping[str, Found]) -> None:
        """Decide on each order, by what the topic holds since it was executed."""
        partition_of = partitioner(len(await partitions_of(self._settings.kafka, self._topic, **self._security)))
        by_partition: defaultdict[int, dict[str, Found]] = defaultdict(dict)
        for place, each in found.items():
            if _now_ms() - each.known_from_ms > _FORGOTTEN_MS:
                self.results[place] = Result("held", "so old that it may have been published and forgotten")
            else:
                by_partition[partition_of(wallet_key(each.order.user))][place] = each
        for partition, some in by_partition.items():
            memory = await self._memory(partition, min(each.known_from_ms for each in some.values()) - _MARGIN_MS)
            for place, each in some.items():
                self._decide(place, each, partition, memory)

    async def publish(self) -> None:
        """Publish what was planned, and look whether somebody else published the same meanwhile."""
        async with AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka, client_id=_CLIENT_ID, enable_idempotence=True, **self._security
        ) as producer:
            sent = [(each, await self._send(producer, each)) for each in self._planned]
            for each, future in sent:
                where = await future
                self.results[each.place] = Result("published", f"{self._topic} {where.partition}:{where.offset}")
        again = await self._again()
        for each in self._planned:
            if again[each.event_id] > 1:
                detail = f"{each.event_id}: a connector published it at the same moment"
                self.results[each.place] = Result("published twice", detail)

    async def _send(self, producer: AIOKafkaProducer, each: _Planned) -> asyncio.Future[RecordMetadata]:
        headers = each.provenance.headers(time.time_ns())
        sent: asyncio.Future[RecordMetadata] = await producer.send(
            self._topic, each.value, each.key, partition=each.partition, headers=headers
        )
        return sent

    async def _memory(self, partition: int, since_ms: int) -> Memory:
        async with reading(
            self._settings.kafka, self._topic, partitions=[partition], since_ms=since_ms, **self._security
        ) as tail:
            memory = Memory(tail.ends[partition] - tail.begins[partition] + len(self.results) + 1, since_ms)
            async for batch in tail:
                for record in batch:
                    order = _order(record)
                    memory.absorb(order.event_id, order.log_index, record.timestamp)
        self._read_to[partition] = tail.ends[partition]
        return memory

    def _decide(self, place: str, found: Found, partition: int, memory: Memory) -> None:
        order = found.order
        channel = ("replay", 0, found.provenance.subscription_id or "")
        content = content_id(order)
        decision = memory.decide(content, channel, order.log_index, _now_ms())
        if decision.verdict is Verdict.NEW:
            record = order_record(order, content, decision.occurrence)
            self._planned.append(
                _Planned(place, partition, record.event_id, wallet_key(order.user), encode(record), found.provenance)
            )
            self.results[place] = Result("to publish", record.event_id)
        elif decision.verdict is Verdict.DUPLICATE:
            self.results[place] = Result("known already", f"{content} is in {self._topic}")
        else:
            detail = "a second fill of equal content, or the first one again: no log_index tells, REST has to"
            self.results[place] = Result("held", detail)

    async def _again(self) -> Counter[str]:
        """Return how often each order came into the topic since it was read."""
        counts: Counter[str] = Counter()
        partitions = {each.partition for each in self._planned}
        async with reading(
            self._settings.kafka, self._topic, partitions=partitions, begin=self._read_to, **self._security
        ) as tail:
            async for batch in tail:
                counts.update(_order(record).event_id for record in batch)
        return counts


def _order(record: ConsumerRecord) -> OrderRecord:
    try:
        return decode_order(record.value)
    except InvalidRecord as error:
        place = f"{record.topic} {record.partition}:{record.offset}"
        raise InvalidRecord(f"{place} holds no order, so what is published cannot be known: {error}") from error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
