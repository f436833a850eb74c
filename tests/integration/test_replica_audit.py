"""The audit on the real broker: an order that the topic lacks is found, told, and brought back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from connector.contract.record import decode_order
from connector.simulator import Config, Simulator
from tests.support.orders import WALLET, order_data
from tests.support.replica import complete, replica, settled
from tests.support.replica_status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, MutableMapping

    from connector.local.broker import LocalKafka

LOST = 1_000_002
"""Shares of the order that is lost."""
SETTINGS = {"wallets": WALLET, "status_address": "127.0.0.1:0", "audit_interval": 0.2, "overlap": 1.0, "settle": 0.5}


class _Place(NamedTuple):
    partition: int
    offset: int


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have Kafka's client lose one order the first time, and say that it was acknowledged; return which were lost."""
    send, lost = AIOKafkaProducer.send, list[str]()

    async def losing_send(self: AIOKafkaProducer, topic: str, value: bytes, *args: Any, **more: Any) -> Any:
        if topic.endswith("orders.v1") and not lost and (order := decode_order(value)).shares == LOST:
            lost.append(order.event_id)
            done: asyncio.Future[_Place] = asyncio.get_running_loop().create_future()
            done.set_result(_Place(more["partition"], -1))
            return done
        return await send(self, topic, value, *args, **more)

    monkeypatch.setattr(AIOKafkaProducer, "send", losing_send)
    return lost


@asynccontextmanager
async def audited(
    kafka: LocalKafka, prefix: str, simulator: Simulator, logs: list[MutableMapping[str, Any]]
) -> AsyncIterator[Status]:
    """Run a replica that audits all the time and compares nothing by itself; yield its status page when it is live."""
    async with replica(kafka, prefix, simulator, verify_interval=0.0, **SETTINGS), status_of(logs) as status:
        await status.until(200)
        await settled(kafka, prefix, lambda now: now.ended("added"))
        yield status


def order(number: int) -> dict[str, Any]:
    """Return an order of now, told apart by its shares."""
    row = order_data(shares=1_000_000 + number, shares_normalized=None, log_index=number)
    del row["timestamp"]
    return row


async def test_an_order_that_the_topic_lacks_is_found_and_brought_back(
    kafka: LocalKafka, topic_prefix: str, losing: list[str]
) -> None:
    """
    The connector believes that order 2 was acknowledged, its repairs believe it too; only the topic knows better.

        orders    1  2  3
        topic     1     3  ... audit: missing ... 2
    """
    with capture_logs() as logs:
        async with Simulator(Config()) as simulator, audited(kafka, topic_prefix, simulator, logs) as status:
            for number in (1, 2, 3):
                await simulator.execute([order(number)])
            await status.counted(lambda now: now["audit_orders_total{result=missing}"])
            found = await complete(kafka, topic_prefix, simulator.book, [WALLET], cause="audit")
            metrics = await status.counted(lambda now: now["audit_orders_total{result=found}"] >= 3)
    assert [report.recovered for report in found.ended("audit")] == [1]
    told = [line for line in logs if line["event"] == "audit.missing"]
    assert (told[0]["log_level"], told[0]["wallet"], told[0]["event_ids"]) == ("error", WALLET, losing)
    start_ms, end_ms = told[0]["interval_ms"]
    assert start_ms < end_ms
    assert metrics["audits_total{outcome=incomplete}"] == len(told)
    assert metrics["audits_total{outcome=failed}"] == 0
    assert metrics["gaps_total{cause=audit}"] == 1


async def test_a_topic_that_is_complete_is_found_to_be(kafka: LocalKafka, topic_prefix: str) -> None:
    """No order is called missing that is not, twins without `log_index` included, while orders go on."""
    config = Config(market=6, rate=100.0, wallets=4, twins=0.2, paused=True)
    with capture_logs() as logs:
        async with Simulator(config) as simulator:
            changes = SETTINGS | {"wallets": ",".join(simulator.wallets), "audit_interval": 0.1}
            async with replica(kafka, topic_prefix, simulator, **changes), status_of(logs) as status:
                await status.until(200)
                simulator.play()
                metrics = await status.counted(
                    lambda now: (
                        now["audit_orders_total{result=found}"] > 300 and now["audits_total{outcome=complete}"] > 10
                    )
                )
    assert metrics["audit_orders_total{result=missing}"] == 0
    assert metrics["audits_total{outcome=failed}"] == metrics["audits_total{outcome=incomplete}"] == 0
    assert not [line for line in logs if line["event"].startswith("audit.") and line["log_level"] != "debug"]
