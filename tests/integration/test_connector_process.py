"""The connector as a process: what it says, how it stops, and with which exit code."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from connector.kafka.reader import read_all
from connector.simulator import Config, Fault, Simulator
from tests.support.child import started
from tests.support.ledger import published, reached
from tests.support.orders import WALLET, order_data
from tests.support.replica import complete, settled, until

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from connector.local.broker import LocalKafka

KEY = "dev-s3cr3t-k3y"


@asynccontextmanager
async def process(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Process]:
    """Start `python -m connector` with these settings and no others."""
    given = {"provider": "simulator", "ws_url": "ws://127.0.0.1:9/{key}", "api_key": KEY, "wallets": WALLET} | settings
    async with started(folder, "connector", *arguments, settings=given) as child:
        yield child


async def ended(child: Process) -> tuple[int, str, float]:
    """Return exit code, everything said, and the seconds it took to end."""
    start = time.monotonic()
    output, _ = await asyncio.wait_for(child.communicate(), 90)
    assert child.returncode is not None
    assert KEY not in output.decode()
    return child.returncode, output.decode(), time.monotonic() - start


async def live(kafka: LocalKafka, prefix: str, wallets: int = 1) -> None:
    """Wait until the checkpoints say that so many wallets are live."""
    found = await settled(kafka, prefix, lambda now: [c.standing for c in now.checkpoints] == ["live"] * wallets)
    assert len(found.checkpoints) == wallets


def orders(*numbers: int) -> list[dict[str, Any]]:
    """Return orders of now."""
    made = [order_data(log_index=n, shares=n, shares_normalized=None) for n in numbers]
    for row in made:
        del row["timestamp"]
    return made


async def test_sigterm_drains_and_exits_0(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """Stopped amid a busy market: what reached the socket is in the topic, once; the key is in no record or header."""
    async with Simulator(Config(market=3, rate=500.0, wallets=60, paused=True)) as simulator:
        settings = {
            "ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap,
            "topic_prefix": topic_prefix, "tier": "dev", "wallets": ",".join(simulator.wallets),
        }  # fmt: skip
        async with process(tmp_path, **settings) as child:
            await live(kafka, topic_prefix, len(simulator.wallets))
            simulator.play()
            await asyncio.sleep(2.0)
            child.terminate()
            code, output, seconds = await ended(child)
            expected = {event for _, event in reached(simulator.book)}
    assert code == 0, output
    assert seconds < 10
    records = await read_all(kafka.bootstrap, f"{topic_prefix}orders.v1")
    found = [event for _, event in published(records)]
    assert expected <= set(found)
    assert len(set(found)) == len(found) > 300
    assert not any(KEY in repr((record.key, record.value, record.headers)) for record in records)


async def test_impatient_sigterms_change_nothing(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """One every 10 ms until the process is gone, its last moments included: exit code 0 all the same."""
    async with Simulator(Config()) as simulator:
        settings = {
            "ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap, "topic_prefix": topic_prefix,
            "pythondevmode": "1",
        }  # fmt: skip
        async with process(tmp_path, **settings) as child:
            await live(kafka, topic_prefix)
            ending = asyncio.create_task(ended(child))
            while not ending.done():
                with suppress(ProcessLookupError):
                    child.terminate()
                await asyncio.sleep(0.01)
            code, output, _ = await ending
    assert code == 0, output


async def test_sigterm_without_kafka_says_what_is_lost(
    mortal_kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Kafka away and the time to stop over: exit code 5 within 10 s, and the number of records at stake."""
    async with Simulator(Config()) as simulator:
        settings = {"ws_url": simulator.ws_url("{key}"), "kafka": mortal_kafka.bootstrap, "topic_prefix": topic_prefix}
        async with process(tmp_path, **settings, drain_timeout="2") as child:
            await live(mortal_kafka, topic_prefix)
            await mortal_kafka.kill()
            try:
                await simulator.execute(orders(1, 2, 3))
                await asyncio.sleep(0.2)
                child.terminate()
                code, output, seconds = await ended(child)
            finally:
                await mortal_kafka.start()
    assert code == 5, output
    assert seconds < 10
    said = re.search(r"(\d+) records were not acknowledged in time", output)
    assert said is not None
    assert int(said[1]) >= 3  # checkpoints, too


async def test_what_waits_for_the_lease_at_the_end_is_told_and_fetched(
    mortal_kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """
    Orders that come when we are not sure any more to own their partition are not published, but left to the next one.

    live  Kafka killed   lease over  3 orders  SIGTERM: says so     Kafka back  next one: 3 orders in the topic
    """
    async with Simulator(Config()) as simulator:
        settings = {
            "ws_url": simulator.ws_url("{key}"), "kafka": mortal_kafka.bootstrap, "topic_prefix": topic_prefix,
            "session_timeout": "6", "settle": "1",
        }  # fmt: skip
        async with process(tmp_path, **settings, drain_timeout="1") as child:
            await live(mortal_kafka, topic_prefix)
            await mortal_kafka.kill()
            try:
                await asyncio.sleep(5.5)
                await simulator.execute(orders(1, 2, 3))
                await asyncio.sleep(0.2)
                child.terminate()
                _, output, _ = await ended(child)
            finally:
                await mortal_kafka.start()
        assert re.search(r'"orders": 3, .*"orders.left"', output), output
        async with process(tmp_path, **settings, connector_group="next"):
            await complete(mortal_kafka, topic_prefix, simulator.book, [WALLET], crashed=True)


async def test_a_refused_key_is_exit_code_3(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """The provider's 401 ends the process with the remedy."""
    async with Simulator(Config(tiers={})) as simulator:
        url = simulator.ws_url("bad-{key}")
        settings = {"kafka": kafka.bootstrap, "topic_prefix": topic_prefix, "ws_url": url}
        async with process(tmp_path, **settings) as child:
            code, output, _ = await ended(child)
    assert code == 3, output
    assert "the provider refused the API key with HTTP 401: check API_KEY" in output


async def test_a_key_refused_for_a_moment_loses_nothing(
    mortal_kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """
    A key that had worked gets a minute's patience, and what waits for Kafka is published meanwhile.

    live  Kafka killed  3 orders  cut, then HTTP 401  order 4  Kafka back  live  4 orders in the topic, exit code 0
    """
    async with Simulator(Config()) as simulator:
        settings = {
            "ws_url": simulator.ws_url("{key}"), "kafka": mortal_kafka.bootstrap, "topic_prefix": topic_prefix,
            "backoff_base": "0.05", "settle": "1",
        }  # fmt: skip
        async with process(tmp_path, **settings) as child:
            await live(mortal_kafka, topic_prefix)
            await mortal_kafka.kill()
            try:
                await simulator.execute(orders(1, 2, 3))
                await asyncio.sleep(0.2)
                simulator.inject(Fault(kind="refuse", status=401, times=3))
                simulator.inject(Fault(kind="drop"))
                await until(lambda: simulator.stats()["faults"].get("drop"))
                await simulator.execute(orders(4))
            finally:
                await mortal_kafka.start()
            found = await complete(mortal_kafka, topic_prefix, simulator.book, [WALLET])
            child.terminate()
            code, output, _ = await ended(child)
    assert code == 0, output
    assert len(found.orders) == 4


async def test_a_flood_of_dead_letters_is_exit_code_6(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """Frames that cannot be read, one after the other: it stops, says why, and what was fetched stands."""
    async with Simulator(Config()) as simulator:
        settings = {
            "ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap, "topic_prefix": topic_prefix,
            "dead_limit": "5",
        }  # fmt: skip
        async with process(tmp_path, **settings) as child:
            await live(kafka, topic_prefix)
            simulator.inject(Fault(kind="garble", times=None))
            await simulator.execute(orders(*range(1, 20)))
            code, output, _ = await ended(child)
    assert code == 6, output
    assert "too many frames cannot be read" in output
    assert "DEAD_LIMIT" in output
    letters = await read_all(kafka.bootstrap, f"{topic_prefix}orders-dead.v1")
    assert 5 <= len(letters) <= 7


async def test_no_kafka_is_exit_code_4(unused_tcp_port: int, tmp_path: Path) -> None:
    """The address and the remedy are named."""
    async with process(tmp_path, kafka=f"127.0.0.1:{unused_tcp_port}") as child:
        code, output, _ = await ended(child)
    assert code == 4
    assert f"127.0.0.1:{unused_tcp_port}" in output


async def test_other_topic_settings_are_exit_code_4(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """Topics with another number of partitions are not written to."""
    async with Simulator(Config()) as simulator:
        settings = {"ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap, "topic_prefix": topic_prefix}
        async with process(tmp_path, **settings, partitions="2") as child:
            await live(kafka, topic_prefix)
            child.terminate()
            assert (await ended(child))[0] == 0
        async with process(tmp_path, **settings, partitions="3") as child:
            code, output, _ = await ended(child)
    assert code == 4
    assert "set PARTITIONS=2" in output


async def test_faulty_settings_are_exit_code_2(tmp_path: Path) -> None:
    """All faults, one per line, nothing else, from the environment and from .env."""
    (tmp_path / ".env").write_text("TIER=gold\n")
    async with process(tmp_path, wallets="0x12") as child:
        code, output, _ = await ended(child)
    assert code == 2
    assert [line.split()[0] for line in output.splitlines()] == ["TIER", "WALLETS"]


@pytest.mark.parametrize(("arguments", "says"), [(["--help"], "exit codes:"), (["--check"], "")])
async def test_help_and_check_need_no_kafka(tmp_path: Path, arguments: list[str], says: str) -> None:
    """The manual is printed and settings are checked without touching the network."""
    async with process(tmp_path, *arguments) as child:
        code, output, _ = await ended(child)
    assert code == 0
    assert says in output
