"""
The wallet half of our worker alone: `python -m tests.bench.wallet_half`, configured like `python -m streams worker`.

What `tests.bench.rivals` do: wallet statistics and alerts, and nothing sent on to markets. Statistics are published as
often as state is remembered, `REMEMBER_INTERVAL`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connector.kafka.partitioner import partitioner
from connector.process.environment import load
from connector.process.logs import Scrubber, configure
from streams.commands.known import compile_file
from streams.fold import WalletFold
from streams.jobs import WalletJob
from streams.rules.registry import Registry
from streams.settings import Settings
from streams.shards.shard import Shard
from streams.worker import run_worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.effects import LogRecord, Topics
    from streams.grades import Tipped
    from streams.jobs import Job
    from streams.rules.engine import Engine
    from streams.shards.timing import Timing

_FOREVER_MS = 2**50


class WalletsOnly(WalletJob):
    """Sends no order on."""

    def _by_market(self, market: str, record: LogRecord, tipped: list[Tipped]) -> None:  # type: ignore[override]  # nothing, which the caller takes as well
        return None


class FlushingShard(Shard[Any]):
    """
    Publishes as the rivals do: statistics as often as it remembers, and up to the log's clock only.

    The worker lets windows decay on while nothing comes, which at the end of a backlog is all of them at once.
    """

    def __init__(self, *args: Any, timing: Timing, **named: Any) -> None:
        every = timing.remember_interval_s
        flushing = replace(timing, statistics_interval_s=every, statistics_behind_s=every, grace_ms=_FOREVER_MS)
        super().__init__(*args, timing=flushing, **named)


def only_wallets(settings: Settings, topics: Topics, rules: Engine) -> Sequence[Job[Any]]:
    """Return the one job."""
    return (WalletsOnly(WalletFold(rules), topics, partitioner(settings.partitions)),)


def main() -> None:
    """Work until SIGTERM. Of the past every order alerts: a backlog is nothing else."""
    settings = load(Settings).model_copy(update={"history": "alert"})
    configure(level=settings.log_level, form="json", scrubber=Scrubber([]))
    registry = Registry(compile_file(settings.rules), delay_ms=round(settings.rules_delay * 1_000))
    run_worker(settings, registry, shard_type=FlushingShard, jobs=only_wallets)


if __name__ == "__main__":
    main()
