"""What a connector on the real broker tells probes and scrapers, as things go wrong and right again."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from structlog.testing import capture_logs

from connector.errors import StatusUnserved
from connector.local.ports import reserve
from connector.service import serve
from connector.settings import Settings
from connector.simulator import Config, Fault, Simulator
from tests.support.replica import executed, replica, settings
from tests.support.replica_status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka
    from tests.support.delay_proxy import DelayProxy


@asynccontextmanager
async def observed(kafka: LocalKafka, prefix: str, simulator: Simulator, **changes: Any) -> AsyncIterator[Status]:
    """Run a replica that watches all wallets; yield its status page."""
    changes = {"wallets": ",".join(simulator.wallets), "status_address": "127.0.0.1:0"} | changes
    with capture_logs() as logs:
        async with replica(kafka, prefix, simulator, **changes), status_of(logs) as status:
            yield status


def market(**changes: Any) -> Simulator:
    """Return a market that waits."""
    return Simulator(Config(market=4, rate=200.0, burst=10, wallets=20, paused=True, **changes))


def gaps(found: dict[str, float]) -> float:
    """Return how many gaps were opened, for whatever cause."""
    return sum(value for name, value in found.items() if name.startswith("gaps_total"))


async def test_readiness_follows_the_socket(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    Not ready while the provider lets nobody in, ready when the wallets are delivered, not when the socket is cut.

        provider   refuses ......... lets us in ...... cuts, refuses ... lets us in
        /readyz    503               200               503               200
        /livez     200 all the time: a restart would not help
    """
    refusing = Fault(kind="refuse", times=None)
    async with market(faults=(refusing,)) as simulator, observed(kafka, topic_prefix, simulator) as status:
        await status.until(503, "primary-0 is not connected")
        assert await status.get("/livez") == (200, "ok")
        simulator.clear_faults()
        await status.until(200)
        simulator.inject(refusing)
        simulator.inject(Fault(kind="drop"))
        await status.until(503, "primary-0 is not connected")
        assert await status.get("/livez") == (200, "ok")
        simulator.clear_faults()
        await status.until(200)
        found = await status.metrics()
    assert found["connected{socket=primary-0}"] == 1
    assert found["connections_total{socket=primary-0}"] == 2
    assert found["disconnects_total{cause=disconnect,socket=primary-0}"] == 1
    assert found["connect_failures_total{socket=primary-0}"] >= 2


async def test_readiness_follows_kafka(slow_kafka: DelayProxy, topic_prefix: str) -> None:
    """
    Without a broker nothing confirms that the partitions are ours: not ready, but alive; and ready again with it.

        broker     ------------ gone ................ back -------
        /readyz    200          503                   200
        /livez     200 all the time
    """
    broker = cast("LocalKafka", slow_kafka)  # asked for its address only
    async with market() as simulator, observed(broker, topic_prefix, simulator) as status:
        await status.until(200)
        assert (await status.metrics())["lease_held"] == 1
        await slow_kafka.close()
        await status.until(503, "Kafka has not confirmed lately that our partitions are ours")
        assert await status.get("/livez") == (200, "ok")
        assert (await status.metrics())["lease_held"] == 0
        await slow_kafka.start()
        await status.until(200)


async def test_metrics_count_what_the_simulator_executed(kafka: LocalKafka, topic_prefix: str) -> None:
    """Each order once, from whichever source, over a disconnect; every wallet live, every gap closed."""
    async with market() as simulator, observed(kafka, topic_prefix, simulator) as status:
        await status.until(200)
        simulator.play()
        await status.counted(lambda now: now["orders_total{source=ws}"] > 200)
        simulator.inject(Fault(kind="drop"))
        await status.counted(lambda now: now["connections_total{socket=primary-0}"] == 2)
        await status.counted(lambda now: now["orders_total{source=ws}"] > 600)
        simulator.pause()
        await simulator.settled()
        orders = len(executed(simulator.book, simulator.wallets))
        found = await status.counted(
            lambda now: (
                now["orders_total{source=ws}"] + now["orders_total{source=backfill}"] == orders
                and now["gaps_closed_total{outcome=closed}"] == gaps(now) > 0
                and now["gaps_open"] == now["unacknowledged_records"] == 0
            )
        )
        await status.until(200)
    live = found["orders_total{source=ws}"]
    assert found["recovered_orders_total"] == found["orders_total{source=backfill}"]
    assert found["wire_to_kafka_seconds_count{source=ws}"] == found["stage_seconds_count{stage=decide}"] == live
    stages = found["stage_seconds_sum{stage=decide}"] + found["stage_seconds_sum{stage=acknowledge}"]
    assert found["wire_to_kafka_seconds_sum{source=ws}"] == pytest.approx(stages)
    assert found["provider_delay_seconds_count"] == live
    assert found["frames_total{socket=primary-0}"] >= live
    assert found["wallets{state=live}"] == len(simulator.wallets)
    assert found["partitions"] == 4
    assert 0 <= found["coverage_lag_seconds"] < 60
    assert abs(found["clock_offset_seconds"]) < 2


async def test_an_address_that_is_taken_is_told(kafka: LocalKafka, topic_prefix: str) -> None:
    """Before anything else is done, with the setting's name."""
    async with market() as simulator:
        with reserve(0) as taken:
            port = taken.getsockname()[1]
            taken.listen()
            given = settings(kafka, topic_prefix, simulator, status_address=f"127.0.0.1:{port}")
            with pytest.raises(StatusUnserved, match="STATUS_ADDRESS"):
                await serve(Settings.model_validate(given, strict=False), asyncio.Event())
