"""Processes on a broker that asks for TLS and SCRAM, and what they say when they may not enter."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.child import started
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.orders import WALLET
from tests.support.pki import PASSWORD, Pki, variables
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from connector.local.broker import LocalKafka

RULES = "rules:\n  - {id: large, scope: wallet, severity: info, expr: order.notional >= 40.0, message: large}\n"
WRONG = "wr0ng-pa55w0rd"


async def test_a_worker_counts_over_tls_with_scram(
    kafka: LocalKafka, pki: Pki, topic_prefix: str, tmp_path: Path
) -> None:
    """Group, state in transactions, outputs, and the restore after a restart: every client it has gets in."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    run = StreamsRun(
        kafka.bootstrap, prefix=topic_prefix, rules=rules, via=kafka.secure_bootstrap, settings=variables(pki)
    )
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    async with run.worker("secured") as worker:
        await feed(kafka.bootstrap, run.topics.orders, mixed_rows(300, seed=1), rate=1_000.0, seed=1)
        await run.settled()
        await worker.term()
        await worker.start()
        await feed(kafka.bootstrap, run.topics.orders, mixed_rows(300, seed=2), rate=1_000.0, seed=2)
        await run.settled()
        assert await run.wrong_statistics() == []
        assert PASSWORD not in worker.log.read_text()


@pytest.mark.parametrize("command", ["streams worker", "connector run", "connector watch list"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"KAFKA_PASSWORD": WRONG}, "refuses the user: check KAFKA_USERNAME and KAFKA_PASSWORD"),
        ({"KAFKA_CA_FILE": "stranger.pem"}, "certificate that is not trusted"),
    ],
    ids=["wrong password", "unknown authority"],
)
async def test_who_may_not_enter_ends_with_one_line_and_code_4(
    kafka: LocalKafka, pki: Pki, command: str, change: dict[str, str], told: str
) -> None:
    """The line names the variables to look at and holds no secret."""
    settings = {
        "KAFKA": kafka.secure_bootstrap, "PROVIDER": "simulator", "WS_URL": "ws://127.0.0.1:9/{key}", "WALLETS": WALLET,
        "LOG_FORMAT": "json", "LOG_LEVEL": "debug", **variables(pki), **change,
    }  # fmt: skip
    code, said = await end_of(command, settings, pki.stranger.parent)
    assert code == 4, said
    (line,) = said.splitlines()
    assert told in line
    assert not any(secret in line for secret in (WRONG, PASSWORD))


async def end_of(command: str, settings: dict[str, str], folder: Path) -> tuple[int | None, str]:
    """Run a command with these settings and no others; return its exit code and all it said."""
    async with started(folder, *command.split(), settings=settings) as process:
        output, _ = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode, output.decode()
