"""What is asked of every contestant: the wallet half over one topic of orders, flushed equally often."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from connector.contract.topics import ORDERS_DEAD
from connector.kafka.admin import ensure_topics
from streams.topics import ALERTS, WALLET_STATS
from tests.bench.systems import PARTITIONS
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from pathlib import Path


class Contest(NamedTuple):
    """One run of one contestant."""

    kafka: str
    folder: Path
    """For logs and whatever the contestant keeps on disk."""
    orders_topic: str
    prefix: str
    """Of its outputs."""
    rules: Path
    flush_s: float

    @property
    def group(self) -> str:
        """The consumer group whose offsets tell how far it is."""
        return self.prefix + "contest"


Contestant = Callable[[Contest], WorkerProcess]
"""Makes the process of a run, which ends by SIGTERM."""


class LeftOut(Exception):
    """A contestant cannot run here; the text says why, and what to do."""


async def prepare(contest: Contest) -> None:
    """Create the topics of the outputs; those of a contestant's own state are its own business."""
    specs = [spec.prefixed(contest.prefix) for spec in (WALLET_STATS, ALERTS, ORDERS_DEAD)]
    await ensure_topics(contest.kafka, specs, partitions=PARTITIONS)


def ours(contest: Contest) -> WorkerProcess:
    """Return our worker, the wallet half alone."""
    settings = {
        "KAFKA": contest.kafka,
        "TOPIC_PREFIX": contest.prefix,
        "ORDERS_TOPIC": contest.orders_topic,
        "GROUP_ID": contest.group.removeprefix(contest.prefix),
        "PARTITIONS": str(PARTITIONS),
        "RULES": str(contest.rules),
        "REMEMBER_INTERVAL": str(contest.flush_s),
    }
    argv = [sys.executable, "-m", "tests.bench.wallet_half"]
    return WorkerProcess(argv, settings, name="wallet-half", folder=contest.folder)
