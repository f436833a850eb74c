"""`explain` and `rules diff` on the topics of a deployment, on a real broker."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from connector.kafka.reader import read_all
from streams.records import Alert, decode, encode
from streams.replay import Replay
from streams.rules.engine import load_rules
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from connector.local.broker import LocalKafka

pytestmark = pytest.mark.slow

RULES = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 20.0 && wallet.w24h.orders > 2, message: large}
  - {id: agree, scope: market, severity: info, expr: market.w1h.wallets >= 3, message: m}
"""
ON_TRIAL = """
rules:
  - {id: large, scope: wallet, severity: info, expr: order.notional >= 40.0, message: larger, mode: SHADOW}
"""


class Ended(NamedTuple):
    """A command that ended."""

    code: int | None
    out: bytes
    err: str


class Deployment(NamedTuple):
    """A deployment whose workers have folded everything and ended."""

    run: StreamsRun
    rules: Path
    alerts: list[Alert]

    async def ask(self, *command: str, rules: Path | None = None) -> Ended:
        """Run a command of `python -m streams`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streams", *command),
            env={
                **os.environ,
                "KAFKA": self.run.direct,
                "TOPIC_PREFIX": self.run.prefix,
                "PARTITIONS": str(PARTITIONS),
                "RULES": str(rules or self.rules),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Ended(process.returncode, out, err.decode())

    def alert(self, rule: str) -> Alert:
        """Return the last alert of a rule."""
        return max((alert for alert in self.alerts if alert.rule == rule), key=lambda alert: alert.as_of)


@pytest_asyncio.fixture
async def deployment(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> Deployment:
    """A worker with a rule, and after it on the same orders one with that rule's next version in shadow."""
    rules, trial = tmp_path / "rules.yaml", tmp_path / "trial.yaml"
    rules.write_text(RULES)
    trial.write_text(ON_TRIAL)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=rules)
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    await feed(kafka.bootstrap, run.topics.orders, mixed_rows(300, seed=3), rate=1_000.0, seed=3)
    async with run.worker("active") as worker:
        await run.settled()
        await worker.term()
    return Deployment(
        run, rules, [decode(Alert, record.value) for record in await read_all(kafka.bootstrap, run.topics.alerts)]
    )


async def test_an_alert_is_explained_and_folded_again(deployment: Deployment) -> None:
    """Of a wallet and of a market: the same in every operand; then each thing that can be missing, is told."""
    for rule in ("large", "agree"):
        alert = deployment.alert(rule)
        ended = await deployment.ask("explain", alert.alert_id, "--json")
        assert (ended.code, ended.err) == (0, "")
        found: dict[str, Any] = msgspec.json.decode(ended.out)
        assert found["alert"] == msgspec.to_builtins(alert)
        assert (found["refold"]["verdict"], found["refold"]["missing"]) == ("same", [])
        assert {each["name"] for each in found["refold"]["operands"]} == set(alert.values)
        assert found["refold"]["orders"] > 1
    await people_read_it(deployment)
    await the_rule_is_gone(deployment)
    await the_orders_are_gone(deployment)


async def people_read_it(deployment: Deployment) -> None:
    """Some digits are enough; of an id that is nowhere the remedy is told."""
    alert = deployment.alert("large")
    ended = await deployment.ask("explain", alert.alert_id[:12])
    assert "the same alert comes of it, in every operand and field" in ended.out.decode()
    assert f"rule      large, hash {alert.rule_hash}" in ended.out.decode()
    ended = await deployment.ask("explain", "0123456789abcdef")
    assert (ended.code, ended.out) == (1, b"")
    assert f"no such alert in {deployment.run.topics.alerts}" in ended.err
    assert (await deployment.ask("explain", "nonsense")).code == 2


async def the_rule_is_gone(deployment: Deployment) -> None:
    """What is stored is shown all the same."""
    other = deployment.rules.with_name("trial.yaml")
    ended = await deployment.ask("explain", deployment.alert("large").alert_id, "--json", rules=other)
    (missing,) = msgspec.json.decode(ended.out)["refold"]["missing"]
    assert missing.endswith(f"is no longer known: {other} and {deployment.run.topics.rules}: other versions only")


async def the_orders_are_gone(deployment: Deployment) -> None:
    """Retention took the tipping order and all before it."""
    alert = deployment.alert("large")
    tip, topic = alert.orders[0], deployment.run.topics.orders
    admin = AIOKafkaAdminClient(bootstrap_servers=deployment.run.direct)
    await admin.start()
    try:
        await admin.delete_records(
            {TopicPartition(topic, tip.partition): RecordsToDelete(before_offset=tip.offset + 1)}
        )
    finally:
        await admin.close()
    ended = await deployment.ask("explain", alert.alert_id, "--json")
    found = msgspec.json.decode(ended.out)["refold"]
    assert found["verdict"] == "not again"
    assert f"begins at offset {tip.offset + 1}" in found["missing"][0]
    assert found["missing"][-1].startswith(f"what lies before offset {tip.offset + 1} is no longer retained")


async def test_a_version_in_shadow_is_compared_with_the_active_one(deployment: Deployment) -> None:
    """The stricter version begins at some of the same orders, and where the other was still in its cooldown."""
    run = deployment.run
    shadow: list[Alert] = []
    replay = Replay(load_rules(ON_TRIAL, topic=run.topics.orders), run.topics, shadow.append)
    replay.run(await read_all(run.direct, run.topics.orders))
    producer = AIOKafkaProducer(bootstrap_servers=run.direct)
    await producer.start()
    for alert in [*shadow, shadow[0]]:  # a repetition counts once
        await producer.send_and_wait(run.topics.alerts_shadow, encode(alert), alert.fingerprint.encode())
    await producer.stop()
    ended = await deployment.ask("rules", "diff", "large", "--since", "2026-01-01", "--json")
    assert (ended.code, ended.err) == (0, "")
    found: dict[str, Any] = msgspec.json.decode(ended.out)
    active = {(alert.subject, alert.orders[0].event_id) for alert in deployment.alerts if alert.rule == "large"}
    on_trial = {(alert.subject, alert.orders[0].event_id) for alert in shadow}
    assert found["counts"] == {
        "both": len(active & on_trial),
        "only_active": len(active - on_trial),
        "only_shadow": len(on_trial - active),
    }
    assert {(begin["subject"], begin["tipped_by"]) for begin in found["begins"]} == active | on_trial
    assert active & on_trial
    assert active - on_trial
    text = (await deployment.ask("rules", "diff", "large")).out.decode()
    assert text.startswith(f"large: active {found['active_hash']}, shadow {found['shadow_hash']}, since 20")
    ended = await deployment.ask("rules", "diff", "larg")
    assert (ended.code, ended.out) == (1, b"")
    assert "larg: no alert of such a rule" in ended.err
