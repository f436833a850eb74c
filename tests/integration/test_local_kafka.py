"""The real broker: faults that tests rely on, the proxied listener, and errors people meet."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient

from connector.contract.topics import TopicSpec
from connector.kafka.admin import ensure_topics
from connector.local.broker import LocalKafka
from connector.local.errors import PortInUse, ProcessFailed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.delay_proxy import DelayProxy

SPEC = TopicSpec(name="orders.v1", key="wallet", owner="connector", doc="a topic", retention_ms=60_000)


async def produce(bootstrap: str, topic: str, *values: bytes) -> None:
    """Write values, acknowledged."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def consume(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    """Read `count` values from the start."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def test_data_and_ports_outlive_a_restart_and_a_kill(tmp_path: Path) -> None:
    """Acknowledged records are there after a clean restart and after SIGKILL, at the same address."""
    async with LocalKafka(data_dir=tmp_path) as kafka:
        address = kafka.bootstrap
        await ensure_topics(address, [SPEC], partitions=1)
        await produce(address, SPEC.name, b"one")
        await kafka.restart()
        await produce(address, SPEC.name, b"two")
        await kafka.kill()
        await kafka.start()
        assert kafka.bootstrap == address
        assert await consume(address, SPEC.name, 2) == [b"one", b"two"]
    assert kafka.log.is_file()


async def test_nothing_is_left_of_a_temporary_broker() -> None:
    """When it is closed, its process, its port and its folder are gone."""
    async with LocalKafka() as kafka:
        process, folder = kafka.process, kafka.data_dir
        assert folder.exists()
    assert process.returncode is not None
    assert not folder.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", kafka.ports.client)) != 0


async def test_a_broker_that_dies_at_start_is_shown_with_its_log(kafka: LocalKafka, tmp_path: Path) -> None:
    """The error holds what Kafka itself said."""
    (tmp_path / "topics").mkdir()
    (tmp_path / "topics" / "meta.properties").write_text("version=1\ncluster.id=another\nnode.id=7\n")
    with pytest.raises(ProcessFailed, match=r"Kafka ended with code 1(.|\n)*node.id"):
        async with LocalKafka(data_dir=tmp_path):
            pass
    assert kafka.process.returncode is None


def test_a_taken_port_is_an_error_with_a_remedy(kafka: LocalKafka) -> None:
    """The port is named, and how to go on."""
    with pytest.raises(PortInUse, match=rf"port {kafka.ports.client} .*choose another"):
        LocalKafka(port=kafka.ports.client)


async def test_clients_of_the_proxy_stay_on_it(slow_kafka: DelayProxy, topic_prefix: str) -> None:
    """Every request of a client that bootstraps at the proxy pays its round trip, the leader's included."""
    spec = SPEC.prefixed(topic_prefix)
    await ensure_topics(slow_kafka.bootstrap, [spec], partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=slow_kafka.bootstrap) as producer:
        await producer.send_and_wait(spec.name, b"warm", partition=0)
        slow_kafka.rtt_s = 0.1
        began = time.perf_counter()
        await producer.send_and_wait(spec.name, b"slow", partition=0)
        assert 0.1 <= time.perf_counter() - began < 0.3


async def test_misspelt_topics_are_not_created(kafka: LocalKafka, topic_prefix: str) -> None:
    """Asking for the metadata of an unknown topic does not bring it into being."""
    client = AIOKafkaClient(bootstrap_servers=kafka.bootstrap)
    await client.bootstrap()
    try:
        await client.add_topic(f"{topic_prefix}typo")
        await client.force_metadata_update()
        assert f"{topic_prefix}typo" not in client.cluster.topics()
    finally:
        await client.close()
