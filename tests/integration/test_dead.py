"""`python -m connector dead` on the real broker."""

from __future__ import annotations

import argparse
import json
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer

from connector.contract.identity import content_id, event_id
from connector.contract.keys import wallet_key
from connector.contract.order import parse_order
from connector.contract.provenance import Provenance, read_provenance
from connector.contract.record import dead_record, decode_order, encode, order_record
from connector.contract.topics import ORDERS, ORDERS_DEAD
from connector.dead import replay
from connector.dead.command import add_parser, run
from connector.kafka.admin import ensure_topics
from connector.kafka.errors import TopicMissing
from connector.kafka.reader import read_all
from connector.kafka.settings import KafkaSettings
from tests.support.orders import order_data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka

PARTITIONS = 4


def row(number: int, **changes: Any) -> dict[str, Any]:
    """Return an order of this moment."""
    return order_data(tx_hash=f"0x{number:064x}", timestamp=time.time_ns() // 10**9 - 5, **changes)


def frame(data: dict[str, Any]) -> bytes:
    """Return the bytes that brought it."""
    return json.dumps({"type": "event", "subscription_id": "sub_1", "data": data}).encode()


class Shell:
    """Runs commands against topics of their own, and fills them."""

    def __init__(
        self, settings: KafkaSettings, producer: AIOKafkaProducer, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.settings = settings
        self._producer = producer
        self._capture = capture

    async def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, output and errors of a command."""
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers())
        self._capture.readouterr()
        code = await run(parser.parse_args(["dead", *arguments]), self.settings)
        return code, *self._capture.readouterr()

    async def replayed(self, *arguments: str) -> tuple[int, dict[str, str]]:
        """Return the exit code and the outcome of each letter."""
        code, out, _ = await self("replay", *arguments)
        lines = [re.split(r"\s{2,}", line, maxsplit=2) for line in out.splitlines()[2:]]
        return code, {line[0]: line[1] for line in lines}

    async def bury(self, raw: bytes, *, reason: str = "invalid-order", partition: int = 0, ago_s: int = 0) -> str:
        """Write a letter, some seconds ago, and return its place."""
        provenance = Provenance(source="ws", provider="dome", received_ns=time.time_ns(), subscription_id="sub_1")
        record = dead_record(raw, reason=reason, detail="-", provenance=provenance)
        topic = self.settings.topic_prefix + ORDERS_DEAD.name
        sent = await self._producer.send_and_wait(
            topic, encode(record), partition=partition, timestamp_ms=time.time_ns() // 10**6 - ago_s * 1000
        )
        return f"{sent.partition}:{sent.offset}"

    async def publish(self, data: dict[str, Any], number: int = 0) -> None:
        """Publish an order as a connector does."""
        order = parse_order(data)
        value = encode(order_record(order, content_id(order), number))
        await self._producer.send_and_wait(self.settings.topic_prefix + ORDERS.name, value, wallet_key(order.user))

    async def orders(self) -> dict[str, str]:
        """Return the source of each order in the topic by its event id; "" where a test published it."""
        records = await read_all(self.settings.kafka, self.settings.topic_prefix + ORDERS.name)
        return {
            decode_order(record.value).event_id: read_provenance(record.headers).source if record.headers else ""
            for record in records
        }


@asynccontextmanager
async def shell_of(bootstrap: str, prefix: str, capture: pytest.CaptureFixture[str]) -> AsyncIterator[Shell]:
    """Yield a way to run commands, on topics that exist."""
    settings = KafkaSettings.model_validate({"kafka": bootstrap, "topic_prefix": prefix})
    specs = [spec.prefixed(prefix) for spec in (ORDERS, ORDERS_DEAD)]
    await ensure_topics(bootstrap, specs, partitions=PARTITIONS)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        yield Shell(settings, producer, capture)


async def test_letters_are_listed(kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The latest, by reason, by partition and by time; for people and for programs."""
    async with shell_of(kafka.bootstrap, topic_prefix, capsys) as shell:
        for number in range(5):
            await shell.bury(frame(row(number)), partition=number % 2, ago_s=7200 if number < 2 else 60 - number)
        await shell.bury(b"{", reason="bad-json", partition=3)
        code, out, err = await shell("list", "--limit", "2")
        assert (code, err) == (0, "")
        assert "dead letters, the latest 2 of 6" in out
        assert [line.split()[0] for line in out.splitlines()[2:]] == ["0:2", "3:0"]

        async def places(*arguments: str) -> list[str]:
            return [
                f"{each['partition']}:{each['offset']}"
                for each in json.loads((await shell("list", "--json", *arguments))[1])
            ]

        assert await places("--reason", "bad-json") == ["3:0"]
        assert await places("--partition", "1") == ["1:0", "1:1"]
        assert await places("--since", "1h") == ["0:1", "1:1", "0:2", "3:0"]
        assert (await shell("list", "--partition", "4"))[::2] == (
            2,
            f"--partition 4: {topic_prefix}orders-dead.v1 has 0 to 3\n",
        )


async def test_only_what_is_valid_now_and_missing_is_published(
    kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Each letter has its outcome; a second replay finds everything known.

        letter      missing   published   twin 1   twin 2   bad   no order   forgotten
        orders.v1             yes         as content-0, with its index
    """
    missing, there, twin = row(1), row(2), row(3, log_index=7)
    async with shell_of(kafka.bootstrap, topic_prefix, capsys) as shell:
        await shell.publish(there)
        await shell.publish(twin)
        places = {
            await shell.bury(frame(missing), partition=2): "published",
            await shell.bury(frame(there)): "known already",
            await shell.bury(frame(twin)): "known already",
            await shell.bury(frame(twin | {"log_index": 8})): "published",
            await shell.bury(frame(there | {"shares": 0})): "still bad",
            await shell.bury(b'{"type":"ack","subscription_id":"s"}', reason="unexpected-ack"): "held",
            await shell.bury(frame(missing | {"timestamp": 1_700_000_000})): "held",
            await shell.bury(frame(row(4))): "published",
            await shell.bury(frame(row(4))): "held",
        }
        code, planned = await shell.replayed("--dry-run")
        assert (code, planned) == (
            0,
            {place: "to publish" if said == "published" else said for place, said in places.items()},
        )
        assert len(await shell.orders()) == 2
        assert await shell.replayed() == (0, places)
        contents = {
            name: content_id(parse_order(data))
            for name, data in (("missing", missing), ("twin", twin), ("there", there), ("four", row(4)))
        }
        assert await shell.orders() == {
            event_id(contents["missing"], 0): "replay",
            event_id(contents["four"], 0): "replay",
            event_id(contents["there"], 0): "",
            event_id(contents["twin"], 0): "",
            event_id(contents["twin"], 1): "replay",
        }
        again = {place: "known already" if said == "published" else said for place, said in places.items()}
        assert (await shell.replayed())[1] == again


async def test_one_letter_or_one_reason_is_replayed(
    kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others are left alone; a letter that is not there is no success."""
    async with shell_of(kafka.bootstrap, topic_prefix, capsys) as shell:
        places = [await shell.bury(frame(row(number)), partition=1) for number in range(3)]
        odd = await shell.bury(frame(row(9)), reason="bad-frame", partition=2)
        assert await shell.replayed("--partition", "1", "--offset", "1") == (0, {places[1]: "published"})
        assert await shell.replayed("--reason", "bad-frame") == (0, {odd: "published"})
        assert len(await shell.orders()) == 2
        code, out, _ = await shell("replay", "--partition", "1", "--offset", "3")
        assert (code, out.startswith("no such letters")) == (1, True)
        assert (await shell("replay", "--offset", "3"))[0] == 2


async def test_what_a_connector_published_meanwhile_is_reported(
    kafka: LocalKafka, topic_prefix: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same order at the same moment is in the topic twice, with one event id; nobody keeps that quiet."""
    async with shell_of(kafka.bootstrap, topic_prefix, capsys) as shell:
        place = await shell.bury(frame(data := row(1)))
        plan = replay.Replay.plan

        async def slowly(self: replay.Replay, found: Any) -> None:
            await plan(self, found)
            await shell.publish(data)

        monkeypatch.setattr(replay.Replay, "plan", slowly)
        assert await shell.replayed() == (1, {place: "published twice"})
        assert len(await shell.orders()) == 1
        assert (await shell.replayed())[1] == {place: "known already"}


async def test_missing_topics_are_named(kafka: LocalKafka, topic_prefix: str) -> None:
    """Nothing is created by looking for letters."""
    settings = KafkaSettings.model_validate({"kafka": kafka.bootstrap, "topic_prefix": topic_prefix})
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    with pytest.raises(TopicMissing, match=f"{topic_prefix}orders-dead.v1"):
        await run(parser.parse_args(["dead", "list"]), settings)
