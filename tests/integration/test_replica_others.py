"""What others do meanwhile: write to our topics, own our partitions, die before their first checkpoint."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from connector.contract.identity import content_id
from connector.contract.keys import wallet_key
from connector.contract.order import parse_order
from connector.contract.record import encode, order_record
from connector.contract.watch import WatchRecord
from connector.kafka.partitioner import partitioner
from connector.simulator import Config, Simulator
from tests.support.crashing import EXIT_CODE
from tests.support.orders import WALLET, order_data
from tests.support.replica import KEY, Topics, complete, replica, replica_process, settings, settled, topics, until
from tests.support.topics import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from pathlib import Path

    from connector.local.broker import LocalKafka

PARTITIONS = 4


def orders(numbers: Iterable[int], **changes: Any) -> list[dict[str, Any]]:
    """Return orders of now, told apart by their shares."""
    made = [order_data(shares=1_000_000 + n, shares_normalized=None, log_index=n, **changes) for n in numbers]
    for row in made:
        del row["timestamp"]
    return made


@asynccontextmanager
async def producing(kafka: LocalKafka) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a producer that is not the connector's."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def publish(producer: AIOKafkaProducer, prefix: str, row: Mapping[str, Any]) -> None:
    """Publish an order as another replica would."""
    order = parse_order(row)
    value = encode(order_record(order, content_id(order), 0))
    partition = partitioner(PARTITIONS)(wallet_key(order.user))
    await producer.send_and_wait(f"{prefix}orders.v1", value, wallet_key(order.user), partition=partition)


def owned_by(found: Topics, wallet: str, owner: str) -> bool:
    """Return whether a wallet is live with this owner, by its checkpoint."""
    checkpoint = found.coverage.get(wallet)
    return checkpoint is not None and checkpoint.owner == owner and checkpoint.standing == "live"


async def test_what_somebody_else_published_is_not_published_again(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    A record of an owner that was believed dead lands between ours: it is seen, told, and remembered.

    ours: 1        2          3 arrives at the socket: a duplicate
    theirs:   3
    """
    async with Simulator(Config()) as simulator, producing(kafka) as producer:
        with capture_logs() as logs:
            async with replica(kafka, topic_prefix, simulator, wallets=WALLET):
                await settled(kafka, topic_prefix, lambda now: owned_by(now, WALLET, "a"))
                first = (await simulator.execute(orders([1])))[0]
                await settled(kafka, topic_prefix, lambda now: len(now.orders) == 1)
                theirs = {**orders([3])[0], "timestamp": first.timestamp}
                await publish(producer, topic_prefix, theirs)
                await simulator.execute(orders([2]))
                await until(lambda: any(entry["event"] == "orders.foreign" for entry in logs))
                await simulator.execute([theirs])
                found = await complete(kafka, topic_prefix, simulator.book, [WALLET])
    assert len(found.orders) == 3
    assert [entry["doubled"] for entry in logs if entry["event"] == "orders.foreign"] == [0]


async def test_what_landed_double_is_told(kafka: LocalKafka, topic_prefix: str) -> None:
    """A former owner's record of an order that we published too: named in the log, and the first to be told of."""
    async with Simulator(Config()) as simulator, producing(kafka) as producer:
        with capture_logs() as logs:
            async with replica(kafka, topic_prefix, simulator, wallets=WALLET):
                await settled(kafka, topic_prefix, lambda now: owned_by(now, WALLET, "a"))
                executed = (await simulator.execute(orders([1])))[0]
                await settled(kafka, topic_prefix, lambda now: len(now.orders) == 1)
                await publish(producer, topic_prefix, executed.row)
                await simulator.execute(orders([2]))
                await until(lambda: any(entry["event"] == "order.doubled" for entry in logs))
    found = await topics(kafka, topic_prefix)
    assert found.double == {entry["event_id"] for entry in logs if entry["event"] == "order.doubled"}


async def test_one_that_dies_before_its_first_checkpoint_loses_nothing(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """
    A listed wallet is owed from the moment it was listed, whoever dies how early.

    listed   live in a's socket   a dies   order 1   b takes over: no checkpoint   order 1 fetched
    """
    async with Simulator(Config()) as simulator, producing(kafka) as producer:
        await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
        record = encode(WatchRecord(wallet=WALLET))
        await producer.send_and_wait(f"{topic_prefix}watchlist.v1", record, wallet_key(WALLET))
        values = settings(kafka, topic_prefix, simulator, connector_group="first")
        crash = {"crash_at": "ledger._publish_coverage:before", "crash_count": 1}
        async with replica_process(tmp_path, "tests.support.crashing", **values, **crash) as first:
            await until(lambda: first.returncode is not None)
            assert first.returncode == EXIT_CODE
        await simulator.execute(orders([1]))
        assert not (await topics(kafka, topic_prefix)).coverage
        await asyncio.sleep(2.0)  # times of orders are whole seconds
        async with replica(kafka, topic_prefix, simulator, replica_name="b"):
            await settled(kafka, topic_prefix, lambda now: owned_by(now, WALLET, "b"))
            found = await complete(kafka, topic_prefix, simulator.book, [WALLET])
    assert len(found.orders) == 1


async def test_one_that_slept_through_a_removal_learns_of_it(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """
    What another owner read of the watch-list is read again by the one that wakes, wherever the group's offset is.

        a  has the wallet's partition ── frozen ──────────────── wakes, gets its partition back: without the wallet
        b                     owns it all   the wallet is removed   stops
    """
    async with Simulator(Config()) as simulator, producing(kafka) as producer:
        await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
        watch_list = f"{topic_prefix}watchlist.v1"
        await producer.send_and_wait(watch_list, encode(WatchRecord(wallet=WALLET)), wallet_key(WALLET))
        values = settings(kafka, topic_prefix, simulator)
        async with (
            replica_process(tmp_path, **values | {"replica_name": "a", "api_key": f"{KEY}-a"}) as first,
            replica_process(tmp_path, **values | {"replica_name": "b", "api_key": f"{KEY}-b"}) as second,
        ):
            names, processes = ("a", "b"), {"a": first, "b": second}
            found = await settled(
                kafka, topic_prefix, lambda now: any(owned_by(now, WALLET, name) for name in names) and not now.open
            )
            owner = next(name for name in names if owned_by(found, WALLET, name))
            other = next(name for name in names if name != owner)
            processes[owner].send_signal(signal.SIGSTOP)
            await settled(kafka, topic_prefix, lambda now: owned_by(now, WALLET, other) and not now.open)
            await producer.send_and_wait(watch_list, None, wallet_key(WALLET))
            await settled(kafka, topic_prefix, lambda now: now.coverage[WALLET] is None)
            await asyncio.sleep(1.0)  # until it has told the group that it knows
            processes[other].send_signal(signal.SIGTERM)
            assert await processes[other].wait() == 0
            processes[owner].send_signal(signal.SIGCONT)
            await until(lambda: (tmp_path / f"{owner}.log").read_text().count("group.assigned") >= 2)
            await until(lambda: simulator.stats()["subscriptions"] == 0, seconds=10)
