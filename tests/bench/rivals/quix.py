"""Quix Streams as a contestant: `quix_job` in an environment of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.rivals.contest import LeftOut
from tests.support.workers import WorkerProcess

if TYPE_CHECKING:
    from tests.bench.rivals.contest import Contest, Contestant

PYTHON = Path(__file__).parents[3] / ".venv-rivals" / "bin" / "python"


def quix(_folder: Path) -> Contestant:
    """
    Return the contestant.

    Raises:
        LeftOut: its environment is not installed.
    """
    if not PYTHON.exists():
        raise LeftOut("Quix Streams is left out: `make rivals` installs it, which needs the network")
    return _process


def _process(contest: Contest) -> WorkerProcess:
    main = ["-m", "tests.bench.rivals.quix_job", contest.kafka, contest.group, contest.orders_topic]
    state = str(contest.folder / f"{contest.prefix}state")
    given = [contest.prefix, str(contest.rules), state, str(contest.flush_s)]
    return WorkerProcess([str(PYTHON), *main, *given], name="quix", folder=contest.folder)
