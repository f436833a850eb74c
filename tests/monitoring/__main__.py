"""
Runs the real system under a real Prometheus with what ships in `k8s/monitoring`, and asks for all that operators see.

Every panel's query, every recorded rule and every side of every alert's comparison has to return data within a few
minutes, while sockets break, frames are garbled and programs are killed. Prints a table; exits 1 if anything is
missing.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.monitoring.judge import firing, judged, unhealthy
from tests.monitoring.prometheus import linted, prometheus
from tests.monitoring.world import world

if TYPE_CHECKING:
    from tests.monitoring.judge import Verdict

_PATIENCE_S = 240.0
_HEALTH_S = 60.0


async def main(console: Console) -> bool:
    """Return whether everything was seen."""
    with tempfile.TemporaryDirectory(prefix="walletstream-monitoring-") as name:
        folder = Path(name)
        async with world(folder) as made:
            since = time.time_ns() / 1e9
            async with prometheus(folder, made.targets, made.free_port()) as asked:
                console.print(f"- {sum(map(len, made.targets.values()))} programs run, Prometheus reads them")
                await made.befall()
                verdicts = await judged(asked, made.check, since=since, patience_s=_PATIENCE_S)
                wrong = await unhealthy(asked, patience_s=_HEALTH_S)
                for job, (address, *_) in made.targets.items():
                    wrong += [f"{job}: {line}" for line in (await linted(address)).splitlines()]
                _print(console, verdicts)
                console.print(f"rules evaluated by Prometheus: {len(await asked.rules())}", highlight=False)
                console.print(f"alerts under way: {', '.join(await firing(asked)) or 'none'}", highlight=False)
    for line in wrong:
        console.print(line, style="red", highlight=False, markup=False)
    good = sum(verdict.ok for verdict in verdicts)
    console.print(f"{good} passed, {len(verdicts) - good + len(wrong)} failed", highlight=False)
    return good == len(verdicts) and not wrong


def _print(console: Console, verdicts: list[Verdict]) -> None:
    table = Table("kind", "name", "expressions", "with data", "what is wrong")
    by_name: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        by_name.setdefault((verdict.look.kind, verdict.look.name), []).append(verdict)
    for (kind, name), those in sorted(by_name.items()):
        bad = [f"{verdict.said}: {verdict.look.expr}" for verdict in those if not verdict.ok]
        row = (kind, name, str(len(those)), str(sum(verdict.ok for verdict in those)), "\n".join(bad))
        table.add_row(*row, style="red" if bad else None)
    console.print(table)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(Console(width=None if sys.stdout.isatty() else 160))) else 1)
