"""The board as a process, without a Kafka: it is there and says so, or does not start and says why."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.support.board import conditions, events, ready
from tests.support.child import started

if TYPE_CHECKING:
    from pathlib import Path

START_S = 100.0
"""To say what is wrong; a busy machine takes its time to import."""


async def test_without_kafka_the_page_is_there_and_says_so(tmp_path: Path) -> None:
    """To viewers, and to the operator's probes: alive, not ready. Its token is in no log, and SIGTERM ends it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        status = f"127.0.0.1:{free.getsockname()[1]}"
    log, token = tmp_path / "board.log", "a-token-that-is-in-no-log"
    settings = {
        "BOARD_ADDRESS": "127.0.0.1:0",
        "BOARD_TOKEN": token,
        "KAFKA": "127.0.0.1:1",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "debug",
        "STATUS_ADDRESS": status,
    }
    async with started(tmp_path, "streams", "board", settings=settings, log=log) as process:
        address = await ready(log)
        async with events(address, Authorization=f"Bearer {token}") as watched, aiohttp.ClientSession() as client:
            frame = await watched.until(lambda frame: conditions(frame) == {"away"})
            assert "no Kafka answers at 127.0.0.1:1" in frame["strip"]["topics"][0]["detail"]
            async with client.get(f"http://{status}/readyz") as answer:
                assert (answer.status, "orders.v1: away" in await answer.text()) == (503, True)
            async with client.get(f"http://{status}/livez") as answer:
                assert answer.status == 200
            async with client.get(f"http://{status}/metrics") as answer:
                assert "walletstream_board_viewers 1.0" in await answer.text()
            process.terminate()
            async with asyncio.timeout(START_S):
                assert await process.wait() == 0
    assert token not in log.read_text()


async def test_an_exposed_board_without_a_token_does_not_start(tmp_path: Path) -> None:
    """Exit code 2, and what to do."""
    settings = {"BOARD_ADDRESS": "0.0.0.0:0"}
    async with started(tmp_path, "streams", "board", settings=settings) as process, asyncio.timeout(START_S):
        told, _ = await process.communicate()
    assert process.returncode == 2
    assert b"BOARD_TOKEN (not set): is not set, and BOARD_ADDRESS=0.0.0.0:0 can be reached" in told


@pytest.mark.parametrize("variable", ["BOARD_ADDRESS", "STATUS_ADDRESS"])
async def test_an_address_that_is_taken_is_told(tmp_path: Path, variable: str) -> None:
    """Without a trace."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {"BOARD_ADDRESS": "127.0.0.1:0", variable: f"127.0.0.1:{taken.getsockname()[1]}"}
        async with started(tmp_path, "streams", "board", settings=settings) as process, asyncio.timeout(START_S):
            told, _ = await process.communicate()
    assert process.returncode == 2
    assert b"address already in use" in told
    assert b"Traceback" not in told
