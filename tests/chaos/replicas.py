"""A replica of the connector as a process, with a name for each of its lives."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.schedule import key_of
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.simulator import Simulator
    from tests.chaos.options import Options

_TINY_QUEUE = 20
_GRACE_S = 25.0


class Replica:
    """One of the replicas; whoever does something to it holds `lock`."""

    def __init__(self, number: int, env: dict[str, str], folder: Path) -> None:
        self.number = number
        self.key = key_of(number)
        self.lock = asyncio.Lock()
        self.process = WorkerProcess(
            [sys.executable, "-m", "tests.chaos.replica"], env, name=f"replica-{number}", folder=folder
        )
        self._wanted = False

    @property
    def name(self) -> str:
        """What coverage and gaps call it in its present life."""
        return f"replica-{self.number}.{self.process.pid}"

    @property
    def ended_by_itself(self) -> bool:
        """Whether it should run and does not."""
        return self._wanted and not self.process.running and not self.lock.locked()

    @property
    def ready_for_signals(self) -> bool:
        """Whether it has installed its handlers; before, SIGUSR1 would end it."""
        if not self.process.running:
            return False
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        return bool(caught >> (signal.SIGUSR2 - 1) & 1)

    async def start(self) -> None:
        """Start it, without waiting for anything."""
        self._wanted = True
        await self.process.start(wait=False)

    async def kill(self) -> None:
        """End it as a crash would."""
        self._wanted = False
        await self.process.kill()

    async def term(self) -> int:
        """Ask it to stop; return its exit code."""
        self._wanted = False
        return await self.process.term(grace_s=_GRACE_S)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if it runs."""
        if self.process.running:
            os.kill(self.process.pid, number)


def replica_env(
    options: Options, number: int, kafka: str, simulator: Simulator, static: Sequence[str]
) -> dict[str, str]:
    """Return the settings of a replica: impatient ones, so that much happens in a short run."""
    dome = options.dialect == "dome"
    return {
        "PROVIDER": "simulator" if dome else "predexon",
        "API_KEY": key_of(number),
        "WS_URL": simulator.ws_url("{key}"),
        "REST_URL": simulator.rest_url,
        "TIER": "dev" if dome else "pro",
        "MAX_WALLETS_EACH": "15",
        "WALLETS": ",".join(static),
        "KAFKA": kafka,
        "PARTITIONS": str(options.partitions),
        "REPLICA_NAME": f"replica-{number}",
        "SESSION_TIMEOUT": str(options.session_timeout),
        "CHECKPOINT_INTERVAL": "1",
        "OVERLAP": "10",
        "SETTLE": str(options.settle),
        "VERIFY_INTERVAL": str(options.verify),
        "POLL_INTERVAL": "5",
        "REST_TIMEOUT": "4",
        "RETRY_REFUSED": "3",
        "ACK_TIMEOUT": "3",
        "PING_INTERVAL": "2",
        "IDLE_TIMEOUT": "6",
        "BACKOFF_BASE": "0.2",
        "BACKOFF_CAP": "3",
        "DEAD_LIMIT": "100000",
        "QUEUE_SIZE": str(_TINY_QUEUE) if number == options.replicas - 1 else "10000",
        "DEDUPE": "off" if options.naive == "dedupe" else "on",
        "LOG_FORMAT": "json",
    }
