"""TLS and SCRAM against a real broker: what gets in, and what a person is told who does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from connector.contract.topics import TopicSpec
from connector.kafka.admin import ensure_topics
from connector.kafka.errors import ClusterUnreachable
from connector.kafka.groups import group_is_stable
from tests.support.pki import PASSWORD, Pki, client_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.local.broker import LocalKafka

SPEC = TopicSpec(name="secured", key="wallet", owner="connector", doc="a topic", retention_ms=60_000)


@pytest_asyncio.fixture(autouse=True)
async def _goodbyes() -> AsyncIterator[None]:
    """Give asyncio the moment it needs after `close` to take leave of a TLS peer: else the loop's end leaks sockets."""
    yield
    await asyncio.sleep(0.2)


async def test_topics_producer_and_group_work_over_tls_with_scram(
    kafka: LocalKafka, pki: Pki, topic_prefix: str
) -> None:
    """What every shell of ours is made of, with nothing but the arguments of the settings."""
    options, spec = client_options(pki), SPEC.prefixed(topic_prefix)
    await ensure_topics(kafka.secure_bootstrap, [spec], partitions=1, **options)
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.secure_bootstrap, enable_idempotence=True, acks="all", **options
    ) as producer:
        await producer.send_and_wait(spec.name, b"an order")
    async with AIOKafkaConsumer(
        spec.name,
        bootstrap_servers=kafka.secure_bootstrap,
        group_id=spec.name,
        auto_offset_reset="earliest",
        **options,
    ) as consumer:
        assert (await consumer.getone()).value == b"an order"
        assert await group_is_stable(kafka.secure_bootstrap, spec.name, **options)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"password": "wr0ng-pa55"}, "refuses the user: check KAFKA_USERNAME and KAFKA_PASSWORD"),
        ({"username": "nobody"}, "refuses the user"),
        ({"sasl_mechanism": "PLAIN"}, "has another KAFKA_SASL_MECHANISM"),
        ({"ca_file": "{stranger}"}, "shows a certificate that is not trusted"),
        (
            {"security_protocol": "PLAINTEXT", "username": "", "password": "", "ca_file": None},
            "is KAFKA_SECURITY_PROTOCOL=PLAINTEXT what this port speaks?",
        ),
        (
            {"security_protocol": "SASL_PLAINTEXT", "ca_file": None},
            "is KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT what this port speaks?",
        ),
        ({"security_protocol": "SSL", "username": "", "password": ""}, "is KAFKA_SECURITY_PROTOCOL=SSL what"),
    ],
)
async def test_who_does_not_get_in_is_told_why(
    kafka: LocalKafka, pki: Pki, changes: dict[str, str | None], told: str
) -> None:
    """One line with the variable to look at, and no password."""
    changes = {name: value and value.format(stranger=pki.stranger) for name, value in changes.items()}
    options = client_options(pki, **changes)
    with pytest.raises(ClusterUnreachable) as caught:
        await ensure_topics(kafka.secure_bootstrap, [SPEC], partitions=1, **options)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"the Kafka at {kafka.secure_bootstrap} ")
    assert told in line
    assert PASSWORD not in line
    assert "wr0ng-pa55" not in line


async def test_a_certificate_of_another_host_is_refused(kafka: LocalKafka, pki: Pki) -> None:
    """The certificate is for the address, not for its name: trusted authority or not, we do not talk to it."""
    with pytest.raises(ClusterUnreachable, match=r"not trusted \(Hostname mismatch.*localhost"):
        await ensure_topics(f"localhost:{kafka.ports.secure}", [SPEC], partitions=1, **client_options(pki))


async def test_tls_to_a_port_without_it_says_so(kafka: LocalKafka, pki: Pki) -> None:
    """The other way round."""
    with pytest.raises(ClusterUnreachable, match="is KAFKA_SECURITY_PROTOCOL=SASL_SSL what this port speaks"):
        await ensure_topics(kafka.bootstrap, [SPEC], partitions=1, **client_options(pki))
