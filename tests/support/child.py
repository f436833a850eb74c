"""Processes of ours that tests start, with settings of the test's and no others."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from connector.settings import Settings as ConnectorSettings
from streams.notify.settings import NotifySettings
from streams.settings import Settings as StreamsSettings

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Return an environment with these settings, named in either case, and none that leaks in from outside."""
    ours = {name.upper() for kind in (ConnectorSettings, StreamsSettings, NotifySettings) for name in kind.model_fields}
    env = {name: value for name, value in os.environ.items() if name not in ours}
    env |= {name.upper(): str(value) for name, value in settings.items()}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    return env


@asynccontextmanager
async def started(
    folder: Path, *command: str, settings: Mapping[str, object], log: Path | None = None
) -> AsyncIterator[Process]:
    """Run `python -m COMMAND` in a folder; what it says goes to `log`, or can be read from it. Killed at the end."""
    with ExitStack() as files:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command),
            cwd=folder,
            env=environment(settings),
            stdout=PIPE if log is None else files.enter_context(log.open("ab")),
            stderr=STDOUT,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
