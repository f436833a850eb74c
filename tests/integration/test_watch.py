"""`python -m connector watch` on the real broker."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer

from connector.contract.coverage import CoverageRecord
from connector.contract.errors import TopicMismatch
from connector.contract.keys import wallet_key
from connector.contract.record import encode
from connector.contract.topics import COVERAGE, WATCHLIST
from connector.contract.watch import decode_watch
from connector.kafka.errors import TopicMissing
from connector.kafka.reader import read_all
from connector.kafka.settings import KafkaSettings
from connector.watch.command import add_parser, run

if TYPE_CHECKING:
    from pathlib import Path

    from connector.local.broker import LocalKafka

A, B, C = (f"0x{letter * 40}" for letter in "abc")


def settings(kafka: str, topic_prefix: str, *, partitions: int) -> KafkaSettings:
    """Return settings without looking into the environment."""
    return KafkaSettings.model_validate({"kafka": kafka, "topic_prefix": topic_prefix, "partitions": partitions})


class Shell:
    """Runs commands against topics of their own."""

    def __init__(self, bootstrap: str, prefix: str, capture: pytest.CaptureFixture[str]) -> None:
        self.settings = settings(bootstrap, prefix, partitions=4)
        self._capture = capture

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of a command."""
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers())
        self._capture.readouterr()
        code = await run(parser.parse_args(["watch", *arguments]), self.settings)
        return code, *self._capture.readouterr()

    async def listed(self) -> list[dict[str, Any]]:
        """Return the list for programs."""
        code, out, err = await self("list", "--json")
        assert (code, err) == (0, "")
        rows: list[dict[str, Any]] = json.loads(out)
        return rows

    async def cover(self, wallet: str, **changes: Any) -> None:
        """Say of a wallet what a replica would say."""
        now = time.time_ns() // 1_000_000
        told: dict[str, Any] = {
            "standing": "live", "owner": "c0", "covered_until_ms": now, "verified_until_ms": now, "at_ms": now,
        }  # fmt: skip
        record = CoverageRecord(wallet=wallet, **(told | changes))
        async with AIOKafkaProducer(bootstrap_servers=self.settings.kafka) as producer:
            await producer.send_and_wait(self.settings.topic_prefix + COVERAGE.name, encode(record), wallet_key(wallet))


@pytest.fixture
def shell(kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Return a way to run commands."""
    return Shell(kafka.bootstrap, topic_prefix, capsys)


async def test_wallets_are_added_changed_and_removed(shell: Shell) -> None:
    """Each command writes what changes, and only that; the list shows the outcome."""
    with pytest.raises(TopicMissing, match=r"watchlist\.v1 does not exist.*TOPIC_PREFIX"):
        await shell("list")
    assert (await shell("add", A, B, "--label", "whales"))[:2] == (
        0,
        "2 added, 0 changed, 0 already as they should be\n",
    )
    assert (await shell("add", B, C, "--note", "mind", "--since", "2h"))[1].startswith("1 added, 1 changed, 0 ")
    assert (await shell("add", A.upper(), "--label", "whales"))[1].startswith("0 added, 0 changed, 1 already")
    rows = {row["wallet"]: row["watch"] for row in await shell.listed()}
    assert {wallet: (watch["label"], watch["note"]) for wallet, watch in rows.items()} == {
        A: ("whales", None),
        B: ("whales", "mind"),
        C: (None, "mind"),
    }
    assert rows[A]["since"] is None
    assert abs(rows[C]["since"] - (time.time_ns() // 10**9 - 7200)) < 60
    assert (await shell("remove", A, B))[:2] == (0, "2 removed\n")
    code, out, err = await shell("remove", B, C)
    assert (code, out, err) == (1, "1 removed\n", f"{B} is not on the list\n")
    assert await shell.listed() == []
    records = await read_all(shell.settings.kafka, shell.settings.topic_prefix + WATCHLIST.name)
    assert len(records) == 7


async def test_records_are_keyed_and_placed_like_orders(shell: Shell) -> None:
    """Lower-case address as key, the default partitioner: the same partition as the wallet's orders."""
    await shell("add", A.upper())
    (record,) = await read_all(shell.settings.kafka, shell.settings.topic_prefix + WATCHLIST.name)
    assert (record.key, decode_watch(record.value).wallet) == (wallet_key(A), A)
    await shell.cover(A)
    (coverage,) = await read_all(shell.settings.kafka, shell.settings.topic_prefix + COVERAGE.name)
    assert coverage.partition == record.partition


async def test_nothing_is_added_when_one_is_mistyped(shell: Shell) -> None:
    """Every fault is told."""
    code, out, err = await shell("add", A, "0x12", "vitalik.eth")
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 2
    assert (await shell("add", A, "--since", "40d"))[0] == 1
    await shell("add", B)
    assert [row["wallet"] for row in await shell.listed()] == [B]


async def test_a_file_is_imported_whole_or_not_at_all(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad line holds everything back, unless it is to be skipped; `-` is the standard input."""
    file = tmp_path / "wallets.csv"
    file.write_text(f"wallet,label\n{A},whale\n0x12,typo\n{B},fish\n")
    code, _, err = await shell("import", str(file))
    assert code == 1
    assert err.startswith(f"{file}:3: '0x12' has 2 hex digits")
    assert "nothing imported" in err
    with pytest.raises(TopicMissing):
        await shell("list")
    code, out, err = await shell("import", str(file), "--skip-bad")
    assert (code, out.split(",")[0]) == (0, "2 added")
    assert f"{file}:3:" in err
    assert [row["watch"]["label"] for row in await shell.listed()] == ["fish", "whale"]
    assert (await shell("import", str(tmp_path / "nowhere.csv")))[0] == 1
    with (tmp_path / "in").open("wb+") as stream:
        stream.write(f"{C}\n".encode())
        stream.seek(0)
        monkeypatch.setattr(sys, "stdin", argparse.Namespace(buffer=stream))
        assert (await shell("import", "-"))[1].startswith("1 added")


async def test_the_list_waits_until_all_are_live(shell: Shell) -> None:
    """It ends as soon as the last one is, names those that are not in time, and does not wait for others."""
    await shell("add", A, B)
    await shell.cover(A)
    await shell.cover(C, standing="down")
    code, _, err = await shell("list", "--wait-live", "0.2")
    assert (code, err) == (1, f"not live after 0.2 s: {B}\n")

    async def late() -> None:
        await asyncio.sleep(0.5)
        await shell.cover(B)

    task = asyncio.create_task(late())
    async with asyncio.timeout(90):
        code, out, err = await shell("list", "--wait-live", "60")
    await task
    assert (code, err) == (0, "")
    assert "3 wallets: 2 live, 1 down" in out
    assert "(by settings)" in out


async def test_other_topics_than_the_contracts_are_refused(shell: Shell, kafka: LocalKafka) -> None:
    """Nothing is written into topics with another number of partitions; the error says what to set."""
    await shell("add", A)
    shell.settings = settings(kafka.bootstrap, shell.settings.topic_prefix, partitions=8)
    with pytest.raises(TopicMismatch, match="PARTITIONS=4"):
        await shell("add", B)


PROCESSES: dict[str, tuple[dict[str, str], str, int, str]] = {
    "done": ({}, f"watch add {A}", 0, "1 added"),
    "no topic": ({}, "dead list", 4, "orders-dead.v1 does not exist"),
    "bad settings": ({"PARTITIONS": "none"}, "watch list", 2, "PARTITIONS ('none')"),
    "no cluster": ({"KAFKA": "127.0.0.1:1"}, "watch list", 4, "no Kafka answers at 127.0.0.1:1"),
    "bad usage": ({}, "watch add", 2, "required: ADDRESS"),
    "bad address": ({}, "watch add 0x12", 1, "2 hex digits"),
}


@pytest.mark.parametrize("case", PROCESSES)
async def test_commands_are_processes_with_exit_codes(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path, case: str
) -> None:
    """Without an API key, and with one line for each fault instead of a trace."""
    environment, arguments, code, said = PROCESSES[case]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "connector", *arguments.split()),
        env={"KAFKA": kafka.bootstrap, "TOPIC_PREFIX": topic_prefix} | environment,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert (process.returncode, said in out.decode()) == (code, True), out.decode()
    assert "Traceback" not in out.decode()
