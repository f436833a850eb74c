"""The API key and Kafka's password, looked for in everything the system writes while it is treated badly."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]
import pytest

from connector.contract.record import decode_dead
from connector.contract.topics import CONNECTOR_TOPICS
from connector.kafka.reader import read_all
from connector.simulator import Config, Fault, Simulator, Switches
from tests.support.child import started
from tests.support.orders import WALLET, order_data
from tests.support.pki import PASSWORD, Pki, variables

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from connector.local.broker import LocalKafka

KEY = "dev-sk-live/SECRET+k3y"
BAD_KEY = "bad-sk-live/SECRET+k3y"
TELLING = ("sk-live", "SECR", PASSWORD[:12], *(quote(secret, safe="") for secret in (KEY, BAD_KEY, PASSWORD)))
"""Both keys hold the first two; none of these is in anything else."""

ORDER = order_data()
FRAMES = (
    {"type": "error", "code": "INTERNAL_ERROR", "message": f"the key {KEY} had a hiccup"},
    {"type": "error", "error": f"{'x' * 490}{KEY}"},
    {"type": "ack", "subscription_id": KEY},
    {"type": KEY},
    {"type": "event", "subscription_id": "sub_x", "data": {**ORDER, "side": f"{'x' * 60}{KEY}"}},
    {"type": "event", "subscription_id": "sub_x", "data": {**ORDER, "user": KEY}},
)
BROKEN = (f'{{"url": "wss://host/{quote(KEY, safe="")}"', f"{KEY} is no JSON", json.dumps([KEY]))


def telling(text: str) -> list[str]:
    """Return what the text tells of the secrets, with its surroundings."""
    return [text[max(0, place - 60) : place + 60] for part in TELLING if (place := text.find(part)) >= 0]


@asynccontextmanager
async def connector(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Process]:
    """Run `python -m connector` with these settings and no others; its output goes to `connector.log`."""
    log = folder / "connector.log"
    async with started(folder, "connector", *arguments, settings=settings, log=log) as process:
        assert not telling(" ".join(psutil.Process(process.pid).cmdline()))
        yield process


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(90):
        while not condition():  # noqa: ASYNC110 - neither a log nor a simulator has an event for it
            await asyncio.sleep(0.05)


@pytest.fixture
def settings(kafka: LocalKafka, pki: Pki, topic_prefix: str) -> dict[str, str]:
    """Return the settings of a talkative connector on the secured listener."""
    return {
        "provider": "simulator", "api_key": KEY, "tier": "dev", "wallets": WALLET, "kafka": kafka.secure_bootstrap,
        "topic_prefix": topic_prefix, "log_level": "debug", "log_format": "json", "backoff_base": "0.05",
        "settle": "1", "poll_interval": "1", "idle_timeout": "3", "ping_interval": "1", "retry_refused": "1",
        "checkpoint_interval": "0.5", **variables(pki),
    }  # fmt: skip


async def mistreated(simulator: Simulator, said: Callable[[], str]) -> None:
    """Lead a connected connector through everything that has a chance to make it quote the key."""
    for frame in (*map(json.dumps, FRAMES), *BROKEN):
        simulator.inject(Fault(kind="frame", frame=frame))
    await until(lambda: said().count("frame.dead") >= len(FRAMES) + len(BROKEN) - 1)
    for status in (401, 429, 503):
        simulator.inject(Fault(kind="rest_status", status=status, times=2))
    simulator.inject(Fault(kind="rest_truncate"))
    simulator.inject(Fault(kind="drop", code=1011))
    simulator.inject(Fault(kind="refuse", status=403))
    await until(lambda: said().count("feed.live") >= 2)
    simulator.inject(Fault(kind="half_open"))
    await until(lambda: said().count("feed.live") >= 3)
    simulator.inject(Fault(kind="error", error=KEY))
    await until(lambda: '"event": "gaps.closed"' in said())


async def written(kafka: LocalKafka, topics: Iterable[str]) -> list[str]:
    """Return every record of the topics as text, the bytes of dead letters decoded."""
    texts = []
    for topic in topics:
        for record in await read_all(kafka.bootstrap, topic):
            texts.append(repr((topic, record.key, record.value, record.headers)))
            if topic.endswith("orders-dead.v1"):
                texts.append(repr((topic, base64.b64decode(decode_dead(record.value).raw))))
    return texts


async def test_nothing_the_system_writes_holds_a_secret(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path, settings: dict[str, str]
) -> None:
    """
    Logs, errors, arguments, and keys, values and headers of every topic.

    live  frames that quote the key, well formed and broken  REST errors  cut  403  half-open  SIGTERM  refused key
    """
    log = tmp_path / "connector.log"
    async with Simulator(Config()) as simulator:
        settings["ws_url"] = simulator.ws_url("{key}")
        async with connector(tmp_path, **settings) as child:
            await until(lambda: simulator.stats()["subscriptions"] > 0)
            await simulator.execute([order_data(timestamp=time.time_ns() // 1_000_000_000)])
            await mistreated(simulator, log.read_text)
            child.terminate()
            assert await asyncio.wait_for(child.wait(), 90) == 0, log.read_text()
        async with connector(tmp_path, **settings | {"api_key": BAD_KEY}) as child:
            assert await asyncio.wait_for(child.wait(), 90) == 3, log.read_text()
        async with connector(tmp_path, "watch", "list", **settings) as child:
            assert await asyncio.wait_for(child.wait(), 90) == 0, log.read_text()
    texts = await written(kafka, [topic_prefix + spec.name for spec in CONNECTOR_TOPICS])
    found = {spec.name for spec in CONNECTOR_TOPICS if any(f"'{topic_prefix}{spec.name}'" in text for text in texts)}
    assert found >= {"orders.v1", "orders-dead.v1", "coverage.v1", "gaps.v1"}
    texts += [log.read_text(), " ".join(psutil.Process(kafka.process.pid).cmdline())]
    texts += [path.read_text() for path in (kafka.log, kafka.data_dir / "server.properties")]
    assert [place for text in texts for place in telling(text)] == []
    assert log.read_text().count("***") >= len(BROKEN)


async def test_a_provider_that_turns_the_key_away_by_name(tmp_path: Path, settings: dict[str, str]) -> None:
    """Its reason ends the process and is shown, without the key in it."""
    log = tmp_path / "connector.log"
    frame = json.dumps({"type": "error", "code": "AUTH_FAILED", "message": f"{KEY} has expired"})
    config = Config(switches=Switches(greeting=frame), faults=(Fault(kind="lose_ack", times=None),))
    async with Simulator(config) as simulator:
        settings["ws_url"] = simulator.ws_url("{key}")
        async with connector(tmp_path, **settings) as child:
            code = await asyncio.wait_for(child.wait(), 90)
    assert code == 3, log.read_text()
    assert "*** has expired" in log.read_text()
    assert telling(log.read_text()) == []
