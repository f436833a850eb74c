"""Audits a wallet now and then: a sample of REST, held against the topic itself. Shell."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog
from aiokafka.errors import KafkaError

from connector.audit import compared, sampled, span
from connector.contract.errors import InvalidOrder
from connector.contract.identity import split_event_id
from connector.contract.order import parse_order
from connector.kafka.errors import KafkaShellError
from connector.metrics import UNREAD, Metrics
from connector.rest import PassFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from connector.audit import Compared
    from connector.contract.coverage import CoverageRecord
    from connector.contract.gap import Cause
    from connector.contract.order import Order
    from connector.coverage import Policy
    from connector.dedupe import Memory
    from connector.publisher import Publisher
    from connector.replica.repairer import Owned
    from connector.replica.shard import Shard
    from connector.replica.topics import Held, Topics
    from connector.rest import RestClient

_TAIL = 20_000
"""Latest records of a partition that are looked through: a fifth of a second of work, in small steps."""
_MARGIN_MS = 60_000
"""The broker's clock may be ahead of the provider's by so much."""
_TRIES = 20
"""Wallets that are looked at for one that can be audited."""
_READING = 60.0
_SHOWN = 10

log = structlog.get_logger(__name__)


class Auditor:
    """
    Audits one random wallet at a time; what the topic lacks is told loudly, and repaired.

    Args:
        owned: Says whose orders may be published now.
        wallets: Returns those that we own.
        checkpoint: Returns what can be claimed of a wallet now.
        doubt: Has wallets repaired that lack orders of an interval (unix ms).
        interval: Seconds between two audits, on average; 0: none.
        now_ms: The provider's clock.
        uniform: Returns a number in [0, 1).
    """

    def __init__(
        self,
        owned: Owned,
        *,
        wallets: Callable[[], Sequence[str]],
        checkpoint: Callable[[str], CoverageRecord | None],
        doubt: Callable[[Iterable[str], tuple[int, int], Cause], None],
        topics: Topics,
        rest: RestClient,
        publisher: Publisher,
        policy: Policy,
        interval: float,
        now_ms: Callable[[], int],
        uniform: Callable[[], float] = random.random,
        metrics: Metrics = UNREAD,
    ) -> None:
        self._owned = owned
        self._wallets = wallets
        self._checkpoint = checkpoint
        self._doubt = doubt
        self._topics = topics
        self._rest = rest
        self._publisher = publisher
        self._policy = policy
        self._interval = interval
        self._now_ms = now_ms
        self._uniform = uniform
        self._metrics = metrics.audit
        self._clock = asyncio.get_running_loop().time
        self._compared_at: float | None = None

    @property
    def age(self) -> float:
        """Seconds since the last comparison, or since there is something to compare; 0: there is not."""
        return 0.0 if self._compared_at is None else self._clock() - self._compared_at

    async def run(self) -> None:
        """
        Audit; never returns.

        Raises:
            PublishFailed: Kafka did not take a record.
        """
        while self._interval:
            await asyncio.sleep(self._interval * (0.5 + self._uniform()))
            wallet = self._choice()
            if wallet is None:
                self._compared_at = None
                continue
            if self._compared_at is None:
                self._compared_at = self._clock()
            try:
                async with asyncio.timeout(self._interval + _READING):
                    await self._audit(wallet)
            except (PassFailed, KafkaError, KafkaShellError, TimeoutError) as error:
                self._metrics.audits.labels("failed").inc()
                log.warning("audit.failed", wallet=wallet, error=f"{type(error).__name__}: {error}")
        await asyncio.Event().wait()

    def _choice(self) -> str | None:
        """Return a wallet of which something can be audited, if a few attempts find one."""
        wallets = self._wallets()
        for _ in range(_TRIES if wallets else 0):
            wallet = wallets[int(self._uniform() * len(wallets))]
            checkpoint = self._checkpoint(wallet)
            if checkpoint is not None and self._span(checkpoint, 0) is not None:
                return wallet
        return None

    async def _audit(self, wallet: str) -> None:
        shard, checkpoint = self._owned.accepting(wallet), self._checkpoint(wallet)
        if shard is None or shard.memory is None or checkpoint is None:
            return
        memory = shard.memory
        await self._settled(shard)
        held = await self._topics.held(shard.number, wallet, last=_TAIL)
        whole = self._span(checkpoint, held.since_ms + _MARGIN_MS if held.since_ms else 0)
        if whole is None:
            return
        interval = sampled(whole, self._uniform())
        orders = await self._page(wallet, interval)
        result = compared(orders, held.orders, interval)
        believed = {content: memory.published(content) for content in _contents(result)}
        if result.missing:
            # REST may have shown what was published after the topic was read.
            await self._settled(shard)
            later = await self._topics.held(shard.number, wallet, begin=held.end)
            held.orders.update(later.orders)
            result = compared(orders, held.orders, interval)
        if self._owned.accepting(wallet) is shard and shard.memory is memory:
            self._judge(wallet, interval, result)
            if result.missing:
                self._correct(memory, believed, result, held)
                self._repair(wallet, result)

    async def _settled(self, shard: Shard) -> None:
        """Wait until what was decided on, and thus counts as published, is in the topic."""
        await shard.decided()
        await self._publisher.barrier()

    def _span(self, checkpoint: CoverageRecord, floor_ms: int) -> tuple[int, int] | None:
        policy = self._policy
        return span(checkpoint, floor_ms, self._now_ms(), settle_ms=policy.settle_ms, overlap_ms=policy.overlap_ms)

    async def _page(self, wallet: str, interval: tuple[int, int]) -> list[Order]:
        """Return the orders on the first page: one request an audit, however busy the wallet is."""
        orders = []
        async with aclosing(self._rest.sweep(wallet, *interval)) as pages:
            async for page in pages:
                for row in page.rows:
                    try:
                        orders.append(parse_order(row))
                    except InvalidOrder:
                        continue  # a dead letter, wherever it came from
                break
        return orders

    def _judge(self, wallet: str, interval: tuple[int, int], result: Compared) -> None:
        self._compared_at = self._clock()
        self._metrics.orders.labels("found").inc(result.found)
        self._metrics.orders.labels("missing").inc(len(result.missing))
        self._metrics.audits.labels("incomplete" if result.missing else "complete").inc()
        log.debug("audit.compared", wallet=wallet, interval_ms=interval, orders=result.found)
        if result.missing:
            log.error(
                "audit.missing",
                wallet=wallet,
                interval_ms=interval,
                orders=len(result.missing),
                event_ids=list(result.missing)[:_SHOWN],
                effect="they are fetched again",
            )

    @staticmethod
    def _correct(memory: Memory, believed: Mapping[str, int], result: Compared, held: Held) -> None:
        """Have the memory forget what the topic lacks, or the repair would take it for published."""
        for content in _contents(result):
            # Else it was published after the topic was read, by a comparison that found it missing too.
            if memory.published(content) == believed[content]:
                memory.corrected(
                    content, [each for each in held.orders.items() if split_event_id(each[0])[0] == content]
                )

    def _repair(self, wallet: str, result: Compared) -> None:
        seconds = [order.timestamp for order in result.missing.values()]
        self._doubt([wallet], (min(seconds) * 1000, (max(seconds) + 1) * 1000), "audit")


def _contents(result: Compared) -> set[str]:
    return {split_event_id(event)[0] for event in result.missing}
