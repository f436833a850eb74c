"""What folding one order costs, in one process without Kafka: by rules, by wallets, by how full the windows are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.contract.record import OrderRecord, decode_order
from connector.contract.topics import ORDERS
from streams.effects import Topics
from streams.fold import WalletFold
from streams.replay import Record, Replay
from streams.rules.engine import load_rules
from streams.rules.interface import NoRules
from tests.bench import rules
from tests.bench.prepared import backlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streams.rules.engine import Engine
    from streams.stats.wallet import WalletState

RULES = {"no rules": 0, "10 rules": 10, "50 rules": 50, "1,000 rules, 50 concern an order": 1_000}
WALLETS = (100, 1_000, 10_000, 100_000)
DENSITIES = (60, 600, 6_000)
"""Orders of one wallet in the longest window."""

_DAY_S = 86_400.0


class Log(NamedTuple):
    """Orders to fold, each with the log's clock in milliseconds; and the records that hold them."""

    orders: list[tuple[OrderRecord, int]]
    records: list[Record]

    @classmethod
    def made(cls, count: int, *, wallets: int, seconds: float) -> Log:
        """Return `count` orders of equal wallets, spread over a time."""
        made = backlog(count, shape="equal", wallets=wallets, partitions=1, start=1_767_556_800.0, seconds=seconds)
        (stored,) = made.partitions
        orders = [(decode_order(each.value), each.timestamp_ms) for each in stored]
        headers = [("source", b"ws")]
        return cls(
            orders,
            [
                Record(ORDERS.name, 0, offset, each.timestamp_ms, each.key, each.value, headers)
                for offset, each in enumerate(stored)
            ],
        )


def fold(log: Log, engine: Engine | None = None) -> float:
    """Fold a log; return CPU microseconds per order."""
    folding, states = WalletFold(engine), dict[str, "WalletState"]()
    began = time.process_time()
    for offset, (order, clock) in enumerate(log.orders):
        step = folding.step(states.get(order.user), order, partition=0, offset=offset, clock=clock, source="ws")
        states[order.user] = step.state
    return (time.process_time() - began) / len(log.orders) * 1e6


def backtest(log: Log, engine: Engine | None) -> float:
    """Replay the records as a backtest does, wallets and markets; return CPU microseconds per order."""
    replay = Replay(
        NoRules() if engine is None else engine,
        Topics(""),
        lambda _: None,
        market_partition=lambda _: 0,
        in_time=False,
    )
    began = time.process_time()
    replay.run(log.records)
    replay.finish(log.records[-1].timestamp)
    return (time.process_time() - began) / len(log.records) * 1e6


def measure(*, orders: int, repetitions: int, folder: Path, say: Callable[[str], None]) -> dict[str, dict[str, Any]]:
    """Return microseconds per order of every row, one list a row with a figure per repetition, interleaved."""
    usual = Log.made(orders, wallets=1_000, seconds=3_600.0)
    engines = {name: _engine(count, folder) for name, count in RULES.items()}
    by_wallets = {wallets: Log.made(orders, wallets=wallets, seconds=3_600.0) for wallets in WALLETS}
    by_density = {each: Log.made(orders, wallets=max(1, orders // each), seconds=_DAY_S) for each in DENSITIES}
    found: dict[str, dict[str, list[float]]] = {"rules": {}, "wallets": {}, "density": {}, "backtest": {}}
    for number in range(repetitions):
        for name, engine in engines.items():
            found["rules"].setdefault(name, []).append(fold(usual, engine))
        for wallets, log in by_wallets.items():
            found["wallets"].setdefault(f"{wallets:,} wallets", []).append(fold(log))
        for density, log in by_density.items():
            found["density"].setdefault(f"{density:,} orders in 24 h", []).append(fold(log))
        for name in ("no rules", "50 rules"):
            row = f"backtest, wallets and markets, {name}"
            found["backtest"].setdefault(row, []).append(backtest(usual, engines[name]))
        say(f"fold {number + 1}/{repetitions}: {_said(found['rules'], number)}")
    return found


def _engine(count: int, folder: Path) -> Engine | None:
    if not count:
        return None
    path = rules.many(folder / f"rules-{count}.yaml", concern=min(count, 50), others=max(0, count - 50))
    return load_rules(path.read_text(encoding="utf-8"))


def _said(rows: dict[str, list[float]], number: int) -> str:
    return ", ".join(f"{name} {values[number]:.1f} us" for name, values in rows.items())
