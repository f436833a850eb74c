"""Fixtures that several files here share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.support.listener import Listener, listening
from tests.support.notifier import Deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from connector.local.broker import LocalKafka


@pytest_asyncio.fixture
async def deployment(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> AsyncIterator[Deployment]:
    """Return a deployment of the notifier, of the test's own."""
    async with Deployment(kafka.bootstrap, topic_prefix, tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    """Return a receiver."""
    async with listening() as made:
        yield made
