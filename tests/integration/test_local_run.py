"""`run` as people start it: real settings, a provider (a simulator of ours), a Kafka whose data outlives it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connector.local.audit import audit
from connector.local.plan import first_order
from connector.local.ports import port_of, reserve
from connector.local.reader import read_all
from connector.local.simulator_client import SimulatorClient
from connector.simulator.server import Simulator
from tests.support.orders import WALLET

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka

pytestmark = pytest.mark.timeout(180)
KEY = "a-key-that-is-secret"


@asynccontextmanager
async def running(cwd: Path, *options: str, **settings: str) -> AsyncIterator[Process]:
    """Run `python -m connector.local run` in a folder, with no settings but these, and end it with Ctrl-C."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "connector.local", "run", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=cwd,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME")},
            "TMPDIR": str(cwd),
            "PARTITIONS": "2",
            **settings,
        },
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


async def output_until(process: Process, pattern: str) -> str:
    """Return the output up to the line in which the pattern is found."""
    assert process.stdout is not None
    text = ""
    async for line in process.stdout:
        text += line.decode()
        if re.search(pattern, line.decode()):
            return text
    raise AssertionError(f"ended without {pattern!r}:\n{text}")


async def everything_is_there_once(simulator: SimulatorClient, kafka: str) -> None:
    """Wait until the topics hold the simulator's book, each order once and counted once."""
    book = await simulator.orders()
    async with asyncio.timeout(90):
        while True:
            orders, statistics = await read_all(kafka, "orders.v1"), await read_all(kafka, "wallet-stats.v1")
            if audit(book, orders, statistics, watched=[WALLET]).clean:
                return
            await asyncio.sleep(0.25)


def where_the_key_is(pid: int, logs: Path) -> list[str]:
    """Return the command lines of a process and its children, and the log files, that show the key."""
    family = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    assert len(family) == 4  # Kafka, worker, connector
    shown = {f"argv of {each}": Path(f"/proc/{each}/cmdline").read_bytes() for each in family}
    shown |= {str(log): log.read_bytes() for log in logs.glob("*.log")}
    return [place for place, text in shown.items() if KEY.encode() in text]


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(each.name for each in folder.iterdir())


@pytest.mark.slow
async def test_a_restart_continues_exactly(tmp_path: Path) -> None:
    """
    Twice on the same data: topics and state are there again, later orders add to them; the key is shown nowhere.

        run 1   orders 0 1 2 -> Ctrl-C
        run 2   orders 3 4 5 -> six orders once, statistics of six
    """
    async with Simulator() as simulator, SimulatorClient(f"127.0.0.1:{simulator.port}") as client:
        settings = f"PROVIDER=dome\nAPI_KEY={KEY}\nWALLETS={WALLET}\nWS_URL=ws://127.0.0.1:{simulator.port}/{{key}}\n"
        settings += f"REST_URL=http://127.0.0.1:{simulator.port}\n"
        (tmp_path / ".env").write_text(settings)
        for numbers in (range(3), range(3, 6)):
            async with running(tmp_path, "--data", str(tmp_path / "kafka")) as process:
                said = await output_until(process, r"connector live \|")
                await client.execute([first_order(WALLET, f"0x{number:064x}") for number in numbers])
                ready = re.search(r"Kafka ready on (\S+), data in (\S+)", said)
                logs = re.search(r"logs of this run in (\S+)", said)
                assert ready
                assert logs
                await everything_is_there_once(client, ready[1])
                assert where_the_key_is(process.pid, Path(logs[1])) == []
                said += await output_until(process, r"\| 3 orders")
                process.send_signal(signal.SIGINT)
                said += (await process.communicate())[0].decode()
            assert process.returncode == 0, said
            assert ready[2] == str(tmp_path / "kafka")
            assert KEY not in said
            assert names(tmp_path) == [".env", "kafka"]


async def test_wrong_settings_are_all_named_before_anything_starts(tmp_path: Path) -> None:
    """Exit 2, each fault with its variable and remedy."""
    (tmp_path / ".env").write_text("WS_URL=http://x\nWALLETS=0x12\n")
    async with running(tmp_path) as process:
        said = (await process.communicate())[0].decode()
    assert process.returncode == 2, said
    assert [line.split(" ")[0] for line in said.splitlines()] == ["API_KEY", "WS_URL", "WALLETS"]
    assert said.count("Remedy: set ") == 3


async def test_a_refused_key_ends_it_with_the_connectors_words(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Exit 1: what the provider said and what to do, without the key; the existing cluster goes on."""
    async with Simulator() as simulator:
        address = f"127.0.0.1:{simulator.port}"
        urls = {"WS_URL": f"ws://{address}/{{key}}", "REST_URL": f"http://{address}"}
        settings = {"API_KEY": f"bad-{KEY}", "WALLETS": WALLET, **urls}
        async with running(tmp_path, KAFKA=kafka.bootstrap, TOPIC_PREFIX=topic_prefix, **settings) as process:
            said = (await process.communicate())[0].decode()
    assert process.returncode == 1
    assert "connector ended with code 3; its log " in said
    assert "the provider refused the API key with HTTP 401: check API_KEY" in said
    assert KEY not in said
    assert kafka.process.returncode is None


async def test_an_unreachable_provider_is_shown(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """The connector goes on trying, and the view says why; Ctrl-C ends it with exit 0."""
    with reserve() as nobody:
        address = f"127.0.0.1:{port_of(nobody)}"
        urls = {"WS_URL": f"ws://{address}/{{key}}", "REST_URL": f"http://{address}"}
        settings = {"API_KEY": KEY, "WALLETS": WALLET, **urls}
        options = ("--kafka", kafka.bootstrap)
        async with running(tmp_path, *options, TOPIC_PREFIX=topic_prefix, **settings) as process:
            await output_until(process, r"connector disconnected: cannot connect: .+; next attempt .+ s later")
        assert process.returncode == 0
