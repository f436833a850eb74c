"""Where a backtest's orders come from: a file, or the topics of a deployment. Shell."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from connector.contract.topics import DEFAULT_PARTITIONS
from connector.kafka.partitioner import partitioner
from streams.commands.kafka import patience
from streams.commands.orders_file import OrdersFile
from streams.commands.orders_topic import open_topics
from streams.effects import Topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from streams.effects import LogRecord
    from streams.settings import Settings

_MADE_UP = (
    "market alerts depend on how the orders of different wallets interleave in orders-by-market.v1; here that is made"
    " up in the order of append times"
)


class Orders(NamedTuple):
    """Orders to replay."""

    topics: Topics
    total: int
    """Records, as far as is known beforehand."""
    batches: AsyncIterator[Sequence[LogRecord]]
    market_partition: Callable[[bytes], int] | None
    """For the replay to make up the orders by market; None: they are among the records."""
    notes: Callable[[], list[str]]
    """What has to be assumed of them; ask when all are read."""
    faults: Callable[[], list[str]] = list
    """What is wrong with those that are left out; ask when all are read."""


@asynccontextmanager
async def orders_of_file(path: Path, *, markets: bool) -> AsyncIterator[Orders]:
    """Yield the orders of a file; raises OSError."""
    file, topics, partition = OrdersFile(path), Topics(""), partitioner(DEFAULT_PARTITIONS)

    async def batches() -> AsyncIterator[Sequence[LogRecord]]:
        for batch in file.batches(topics.orders, partition):
            yield batch

    notes = partial(_notes, file, markets=markets)
    yield Orders(topics, file.total, batches(), partition, notes, file.left_out)


def _notes(file: OrdersFile, *, markets: bool) -> list[str]:
    return [*file.notes(), *([_MADE_UP] if markets else [])]


@asynccontextmanager
async def orders_of_kafka(settings: Settings, *, markets: bool) -> AsyncIterator[Orders]:
    """
    Yield the orders that the topics hold now, and those by market if they are of interest.

    Raises:
        KafkaShellError: no Kafka, no topic of orders, or it stopped answering.
    """
    topics = Topics(settings.topic_prefix, settings.source_topic)
    async with patience() as answered, open_topics(settings, topics, markets=markets) as found:

        async def batches() -> AsyncIterator[Sequence[LogRecord]]:
            async for batch in found:
                answered()
                yield batch

        notes = [f"there is no {topics.orders_by_market} yet: {_MADE_UP}"] if found.derives else []
        partition = partitioner(settings.partitions) if found.derives else None
        yield Orders(topics, found.total, batches(), partition, lambda: notes)
