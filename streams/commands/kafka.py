"""What commands that read topics have in common. Shell."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from connector.contract.errors import ContractError
from connector.kafka.errors import ClusterUnreachable, KafkaShellError
from connector.process.exits import KAFKA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

STALL_S = 60.0
"""Longest wait for the next records."""

UNREACHABLE = KAFKA
"""Exit code."""


def run(work: Coroutine[None, None, int]) -> int:
    """Run to the exit code; what is wrong with Kafka is told, and code 4."""
    try:
        return asyncio.run(work)
    except (KafkaShellError, ContractError) as error:
        sys.stderr.write(f"{error}\n")
        return UNREACHABLE


@asynccontextmanager
async def patience() -> AsyncIterator[Callable[[], None]]:
    """
    Give up on a Kafka that says nothing for `STALL_S`; call what is yielded with each answer.

    Raises:
        ClusterUnreachable: it did.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(STALL_S) as limit:
            yield lambda: limit.reschedule(loop.time() + STALL_S)
    except TimeoutError as error:
        raise ClusterUnreachable(f"Kafka sent nothing for {STALL_S:.0f} s, although there is more to read") from error
