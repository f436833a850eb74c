from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from streams.contract.__main__ import FOLDER
from tests.support.consumers import follow_all

if TYPE_CHECKING:
    from pathlib import Path

    from connector.local.broker import LocalKafka


async def test_the_python_consumer_misses_nothing_and_tells_nothing_twice(
    kafka: LocalKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """The one that the contract's page shows."""
    await follow_all(kafka, topic_prefix, [sys.executable, "-u", str(FOLDER / "consumers" / "orders.py")], tmp_path)
