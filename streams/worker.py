"""Runs the app until a signal or a defect."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from typing import TYPE_CHECKING, Any, NoReturn

import faust
import uvloop

from streams.app import create_app, prepare_topics
from streams.shards.shard import Shard

if TYPE_CHECKING:
    from streams.rules.interface import Rules
    from streams.settings import Settings

GC_THRESHOLDS = (50_000, 20, 100)
"""Of the three generations; Python's own are 700, 10, 10."""


def run_worker(settings: Settings, rules: Rules, *, shard_type: type[Shard[Any]] = Shard) -> NoReturn:
    """
    Create or verify the topics, then work until SIGTERM or SIGINT (exit 0) or a defect (raises it).

    Raises:
        ContractError, KafkaShellError: topics differ, or no broker answers; see `ensure_topics`.
    """
    asyncio.run(prepare_topics(settings))
    # State is long-lived and has no cycles: the collector would walk it again and again for nothing.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory(prefix="walletstream-") as folder:  # Faust insists on one; nothing is kept in it
        app = create_app(settings, rules, folder=folder, shard_type=shard_type)
        worker = faust.Worker(app, loop=loop, quiet=True, redirect_stdouts=False, override_logging=False)
        worker.execute_from_commandline()
