"""Runs the app until a signal or a defect."""

from __future__ import annotations

import asyncio
import tempfile
from typing import TYPE_CHECKING, Any, NoReturn

import faust
import structlog

from connector.kafka.loop import new_loop
from connector.process import collector
from streams.app import both_halves, create_app, prepare_topics
from streams.shards.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.effects import Topics
    from streams.jobs import Job
    from streams.rules.engine import Engine
    from streams.rules.registry import Registry
    from streams.settings import Settings

log = structlog.get_logger("streams")


def run_worker(
    settings: Settings,
    registry: Registry,
    *,
    shard_type: type[Shard[Any]] = Shard,
    jobs: Callable[[Settings, Topics, Engine], Sequence[Job[Any]]] = both_halves,
) -> NoReturn:
    """
    Create or verify the topics, then work until SIGTERM or SIGINT (exit 0) or a defect (raises it).

    `shard_type` and `jobs` are those of `create_app`.

    Raises:
        ContractError, KafkaShellError: topics differ, or no broker answers; see `ensure_topics`.
        SettingsError: STATUS_ADDRESS cannot be served at.
    """
    asyncio.run(prepare_topics(settings))
    collector.spare()
    loop = new_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory(prefix="walletstream-") as folder:  # Faust insists on one; nothing is kept in it
        app, status = create_app(settings, registry, folder=folder, shard_type=shard_type, jobs=jobs)
        loop.run_until_complete(status.start())
        worker = faust.Worker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
        worker.spinner = None  # it draws into the log
        log.info("worker.started", kafka=settings.kafka, rules=str(settings.rules))
        try:
            worker.execute_from_commandline()
        except SystemExit as end:  # how it ends where it was asked to, and where it failed
            log.info("worker.stopped", exit_code=end.code)
            raise
