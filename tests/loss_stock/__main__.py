"""
Puts stock Faust tables through the fault schedule that our worker has to survive: `python -m tests.loss_stock`.

SIGTERM three times, SIGKILL three times, rescale 1-2-1, while a worker counts events per wallet in a
memory table, with 10 ms of round trip to the broker and OffsetFetch slowed by 40 ms. It reports how many
runs lost events, after a run without faults that shows the counting to be right. Stock Faust passes some
runs: the races need their moment. The exit code is 0 either way.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from connector.local.broker import LocalKafka
from connector.local.errors import ProcessFailed
from tests.loss_stock.run import Place, run
from tests.support.delay_proxy import OFFSET_FETCH, DelayProxy

if TYPE_CHECKING:
    from tests.loss_stock.verdict import Outcome

RTT_S = 0.010
OFFSET_FETCH_S = 0.040


def main() -> None:
    """Do the runs and print what they lost."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.loss_stock", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", "--runs", type=int, default=5, help="how many runs, a minute each (default: %(default)s)")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it warns of elections that it waits for
    asyncio.run(_all(parser.parse_args().runs))


async def _all(runs: int) -> None:
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="walletstream-loss-stock-"))
    progress.print(f"starting Kafka; logs of the workers are in {folder}")
    outcomes: dict[int, Outcome] = {}
    async with (
        LocalKafka() as kafka,
        DelayProxy(
            ("127.0.0.1", kafka.ports.proxied),
            port=kafka.ports.proxy,
            rtt_s=RTT_S,
            extra_s={OFFSET_FETCH: OFFSET_FETCH_S},
        ) as proxy,
    ):
        place = Place(kafka.bootstrap, proxy.bootstrap, folder)
        for number in range(runs + 1):
            try:
                outcomes[number] = await run(place, number, faults=number > 0)
            except ProcessFailed as error:
                progress.print(f"run {number} of {runs} did not get through: {error}", markup=False)
                continue
            progress.print(f"run {number} of {runs}: {outcomes[number]}")
    faulted = [outcome for number, outcome in outcomes.items() if number]
    Console().print(_table(outcomes))
    bad = sum(outcome.bad for outcome in faulted)
    Console().print(f"stock Faust lost events, or stopped getting on, in {bad} of {len(faulted)} runs")


def _table(outcomes: dict[int, Outcome]) -> Table:
    table = Table(title="Stock Faust 0.15.3, memory table, at least once")
    for column in ("run", "events", "lost", "repeated in naive counts", "not committed", "seconds"):
        table.add_column(column, justify="right")
    for number, outcome in outcomes.items():
        events, lost, repeated, unfinished, seconds = outcome
        table.add_row(*map(str, (number or "none: no faults", events, lost, repeated, unfinished, round(seconds))))
    return table


if __name__ == "__main__":
    main()
