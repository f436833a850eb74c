"""The connector as a process: what it says, how it stops, and with which exit code."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from connector.settings import Settings
from connector.simulator import Config, Fault, Simulator
from tests.support.ledger import Difference, compare, published, reached, read_topic
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from connector.local.broker import LocalKafka

KEY = "dev-s3cr3t-k3y"


@asynccontextmanager
async def process(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Process]:
    """Start `python -m connector` with these settings and no others."""
    ours = {name.upper() for name in Settings.model_fields}
    env = {name: value for name, value in os.environ.items() if name not in ours}
    env |= {"API_KEY": KEY, "WALLETS": WALLET, **{name.upper(): value for name, value in settings.items()}}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "connector", *arguments,
        cwd=folder, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def ended(child: Process) -> tuple[int, str, float]:
    """Return exit code, everything said, and the seconds it took to end."""
    start = time.monotonic()
    output, _ = await asyncio.wait_for(child.communicate(), 20)
    assert child.returncode is not None
    assert KEY not in output.decode()
    return child.returncode, output.decode(), time.monotonic() - start


async def subscribed(simulator: Simulator) -> None:
    """Wait for the connector's subscription."""
    async with asyncio.timeout(20):
        while not simulator.stats()["subscriptions"]:  # noqa: ASYNC110 - a simulator has no event for it
            await asyncio.sleep(0.02)


async def test_sigterm_drains_and_exits_0(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """Stopped amid a busy market: what reached the socket is in the topic, once; the key is in no record or header."""
    async with Simulator(Config(market=3, rate=500.0, wallets=60, paused=True)) as simulator:
        settings = {
            "provider": "simulator", "ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap,
            "topic_prefix": topic_prefix, "tier": "dev", "wallets": ",".join(simulator.wallets),
        }  # fmt: skip
        async with process(tmp_path, **settings) as child:
            await subscribed(simulator)
            simulator.play()
            await asyncio.sleep(2.0)
            child.terminate()
            code, output, seconds = await ended(child)
            expected = reached(simulator.book)
    assert code == 0, output
    assert seconds < 10
    records = await read_topic(kafka.bootstrap, f"{topic_prefix}orders.v1")
    assert compare(expected, published(records)) == Difference(set(), set(), set(), set())
    assert len(records) > 300
    assert not any(KEY in repr((record.key, record.value, record.headers)) for record in records)


async def test_impatient_sigterms_change_nothing(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """One every 10 ms until the process is gone, its last moments included: exit code 0 all the same."""
    async with Simulator(Config()) as simulator:
        settings = {
            "ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap, "topic_prefix": topic_prefix,
            "pythondevmode": "1",
        }  # fmt: skip
        async with process(tmp_path, **settings) as child:
            await subscribed(simulator)
            ending = asyncio.create_task(ended(child))
            while not ending.done():
                with suppress(ProcessLookupError):
                    child.terminate()
                await asyncio.sleep(0.01)
            code, output, _ = await ending
    assert code == 0, output


async def test_sigterm_without_kafka_says_what_is_lost(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """Kafka away and the time to stop over: exit code 5 within 10 s, and the number of records at stake."""
    async with Simulator(Config()) as simulator:
        settings = {
            "provider": "simulator", "ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap,
            "topic_prefix": topic_prefix,
        }  # fmt: skip
        async with process(tmp_path, **settings, drain_timeout="2") as child:
            await subscribed(simulator)
            await kafka.kill()
            try:
                await simulator.execute(order_data(log_index=n, shares=n, shares_normalized=None) for n in (1, 2, 3))
                await asyncio.sleep(0.2)
                child.terminate()
                code, output, seconds = await ended(child)
            finally:
                await kafka.start()
    assert code == 5
    assert seconds < 10
    assert "3 records were not acknowledged in time" in output


async def test_a_refused_key_is_exit_code_3(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """The provider's 401 ends the process with the remedy."""
    async with Simulator(Config(tiers={})) as simulator:
        url = simulator.ws_url("bad-{key}")
        settings = {"kafka": kafka.bootstrap, "topic_prefix": topic_prefix, "ws_url": url}
        async with process(tmp_path, **settings) as child:
            code, output, _ = await ended(child)
    assert code == 3
    assert "the provider refused the API key with HTTP 401: check API_KEY" in output


async def test_a_key_refused_later_loses_nothing(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """
    What waits for Kafka is published before the process ends over a refused key.

    live  Kafka killed  3 orders  cut, then HTTP 401  Kafka back  3 orders in the topic, exit code 3
    """
    async with Simulator(Config()) as simulator:
        settings = {
            "provider": "simulator", "ws_url": simulator.ws_url("{key}"), "kafka": kafka.bootstrap,
            "topic_prefix": topic_prefix, "backoff_base": "0.05",
        }  # fmt: skip
        async with process(tmp_path, **settings) as child:
            await subscribed(simulator)
            await kafka.kill()
            try:
                await simulator.execute(order_data(log_index=n, shares=n, shares_normalized=None) for n in (1, 2, 3))
                await asyncio.sleep(0.2)
                simulator.inject(Fault(kind="refuse", status=401))
                simulator.inject(Fault(kind="drop"))
                await asyncio.sleep(0.5)
            finally:
                await kafka.start()
            code, output, _ = await ended(child)
            expected = reached(simulator.book)
    assert code == 3, output
    assert len(expected) == 3
    records = await read_topic(kafka.bootstrap, f"{topic_prefix}orders.v1")
    assert compare(expected, published(records)) == Difference(set(), set(), set(), set())


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
            await subscribed(simulator)
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
