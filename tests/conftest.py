"""Fixtures that several test packages share: one real broker per run, and names nobody else uses."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import hypothesis
import pytest
import pytest_asyncio

from connector.local.broker import LocalKafka
from tests.support.delay_proxy import DelayProxy
from tests.support.pki import Pki, make_pki, secure_listener

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


# Machines are noisy: how long an example takes says nothing about whether it is right.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


def pytest_configure() -> None:
    """Say that the main thread has no event loop yet: else pytest-asyncio makes one before Python 3.14 and leaks it."""
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates for this run."""
    return make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def kafka(pki: Pki) -> Iterator[LocalKafka]:
    """One real broker per run, started by the first test that asks for it; `secure_bootstrap` has TLS and SCRAM."""
    broker = LocalKafka(secure=secure_listener(pki))
    try:
        asyncio.run(broker.start())
        yield broker
    finally:
        asyncio.run(broker.close())


@pytest_asyncio.fixture
async def mortal_kafka() -> AsyncIterator[LocalKafka]:
    """Return a broker of the test's own, which it may kill: the shared one would be long in coming back."""
    async with LocalKafka() as kafka:
        yield kafka


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix for topics and groups that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest_asyncio.fixture
async def slow_kafka(kafka: LocalKafka) -> AsyncIterator[DelayProxy]:
    """
    Return a proxy to the shared broker, in the test's own loop.

    Clients that bootstrap at `slow_kafka.bootstrap` stay on it; it adds nothing until the test sets `rtt_s`, `extra_s`.
    """
    async with DelayProxy(("127.0.0.1", kafka.ports.proxied), port=kafka.ports.proxy) as proxy:
        yield proxy
