"""`python -m streams rules backtest`. Shell."""

from __future__ import annotations

import re
import sys
import time
from argparse import ArgumentTypeError
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from connector.process import collector
from connector.process.environment import load
from connector.process.exits import DONE, INTERRUPTED, KAFKA, USAGE
from connector.process.terminal import terminal
from streams.backtest.report import as_json, behind, compared_json, comparison, heading, table
from streams.backtest.run import Run, compare
from streams.commands import ON_KAFKA, command
from streams.commands.kafka import run
from streams.commands.known import read_text
from streams.commands.orders import orders_of_file, orders_of_kafka
from streams.durations import parse_duration
from streams.grader import DEFAULT_HORIZONS
from streams.records import encode
from streams.rules.engine import load_rules
from streams.settings import SHIPPED_RULES, Settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from streams.commands import Commands
    from streams.commands.orders import Orders
    from streams.records import Alert
    from streams.rules.engine import Engine

_UNTIL = re.compile(r"\+(\d{1,9}[smhd])", re.ASCII)

_DOC = """\
Replay orders and say what each rule would have done.

Orders are folded by the code of the worker, at the times at which they were appended; no clock of this machine has a
part in it. From a deployment's topics the alerts are those that its workers make, with the same ids: wallet alerts
from orders.v1, market alerts from orders-by-market.v1.

--orders FILE is JSON lines: values of orders.v1, or rows as the provider sends them. Lines as printed by
kafka-console-consumer with --property print.timestamp=true have append times; of others it is said what is assumed.
--orders kafka reads the topics of a deployment.
"""


def register(actions: Commands) -> None:
    """Add `backtest`."""
    parser = command(
        actions,
        "backtest",
        _DOC,
        "rules backtest --orders orders.jsonl --rules my-rules.yaml --until +1h",
        "rules backtest --orders kafka --compare my-rules.yaml",
        codes={
            DONE: "",
            USAGE: "no such file, none of its lines is an order, or wrong rules or settings",
            KAFKA: "",
            INTERRUPTED: "",
        },
        settings=f"with --orders kafka: {ON_KAFKA}",
    )
    parser.add_argument("--orders", required=True, metavar="FILE|kafka", help="where the orders are")
    parser.add_argument("--rules", type=Path, default=SHIPPED_RULES, help="rules file; default: the rules shipped")
    parser.add_argument("--compare", type=Path, metavar="OTHER", help="rules file to show beside it, with differences")
    parser.add_argument(
        "--until",
        type=_until,
        metavar="TIME",
        help="let time go on without orders: to +1h (s, m, h, d) after the last one, or to now; default: the last one",
    )
    parser.add_argument(
        "--no-grades", action="store_true", help="do not grade: twice as fast where all rules are about wallets"
    )
    parser.add_argument("--alerts", type=Path, metavar="FILE", help="write every alert there, as JSON lines")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=lambda given: run(_backtest(given)))


async def _backtest(given: argparse.Namespace) -> int:
    collector.spare()
    settings = load(Settings, given.env_file) if given.orders == "kafka" else None
    topic = {} if settings is None else {"topic": settings.source_topic}
    engines = [_engine(path, **topic) for path in (given.rules, given.compare) if path is not None]
    markets = not given.no_grades or any(rule.scope == "market" for engine in engines for rule in engine.rules)
    opening = (
        orders_of_file(Path(given.orders), markets=markets)
        if settings is None
        else orders_of_kafka(settings, markets=markets)
    )
    with ExitStack() as files:
        sink = None if given.alerts is None else _writer(files.enter_context(given.alerts.open("wb")))
        async with opening as orders:
            make = partial(
                Run,
                topics=orders.topics,
                market_partition=orders.market_partition if markets else None,
                horizons=DEFAULT_HORIZONS if settings is None else settings.horizons,
            )
            runs = [make(engine, sink=each) for engine, each in zip(engines, (sink, None), strict=False)]
            await _replay(orders, runs)
            until = _finish(runs, given.until)
            if settings is None and until is None:
                return _nothing(given.orders, orders)
            notes = orders.notes() + (behind(runs[0].replay.totals, orders.topics.orders_by_market) if markets else [])
            _show(given, runs, notes, until)
    return DONE


def _nothing(name: str, orders: Orders) -> int:
    """Say why there is nothing to show: a file without an order is another one than was meant."""
    sys.stderr.write("".join(f"{line}\n" for line in (f"{name}: no line is an order", *orders.faults())))
    return USAGE


def _engine(path: Path, **options: str) -> Engine:
    return load_rules(read_text(path), name=str(path), **options)


def _writer(file: Any) -> Callable[[Alert], None]:
    return lambda alert: file.write(encode(alert) + b"\n")


async def _replay(orders: Orders, runs: Sequence[Run]) -> None:
    """Feed all orders to all runs; a bar on a terminal shows how far."""
    columns = TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("orders", total=orders.total)
        async for batch in orders.batches:
            for each in runs:
                each.replay.run(batch)
            progress.advance(task, len(batch))


def _finish(runs: Sequence[Run], until: int | None) -> int | None:
    """Let time go on to the end, and return it; None: there are no orders."""
    last = runs[0].replay.totals.last
    if last is None:
        return None
    at = last if until is None else time.time_ns() // 1_000_000 if until == _NOW else last + until
    for each in runs:
        each.replay.finish(at)
    return at


def _show(given: argparse.Namespace, runs: Sequence[Run], notes: Sequence[str], until: int | None) -> None:
    first = runs[0]
    compared = compare(*runs) if len(runs) > 1 else None
    if given.json:
        found = as_json(first.replay.totals, first.rows(), notes=notes, until_ms=until)
        if compared is not None:
            found["compared"] = compared_json(compared)
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
        return
    console = terminal(highlight=False)
    console.print(heading(first.replay.totals, until))
    for note in notes:
        console.print(f"assumed: {note}", soft_wrap=True, markup=False)
    console.print()
    if compared is None:
        console.print(table(first.rows()))
    else:
        console.print(f"{given.rules} -> {given.compare}", markup=False)
        console.print(comparison(compared))


_NOW = -1


def _until(text: str) -> int:
    """Return milliseconds after the last order, or `_NOW`."""
    if text == "now":
        return _NOW
    match = _UNTIL.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f"expected now, or +90s, +30m, +2h, +1d after the last order, got {text!r}")
    return parse_duration(match[1])
