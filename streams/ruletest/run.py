"""Runs a test: its orders through the code of the worker, and what came against what was expected."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from connector.contract.identity import content_id
from connector.contract.keys import wallet_key
from connector.contract.order import Order
from connector.contract.record import encode, order_record
from streams.effects import Topics
from streams.replay import Record, Replay
from streams.ruletest.matching import Match, match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from streams.records import Alert
    from streams.rules.engine import Engine
    from streams.ruletest.cases import Case, CaseOrder

EPOCH_MS = 1_767_225_600_000
"""When tests begin, 2026-01-01: buckets of every width begin there."""

_TOPICS = Topics("")
_HEX = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_USDC = 10.0


class Names:
    """Addresses and ids of what tests call by names, and back."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def wallet(self, name: str) -> str:
        """Return the address of a wallet."""
        return self._hex(name, "wallet", 40)

    def market(self, name: str) -> str:
        """Return the condition id of a market."""
        return self._hex(name, "market", 64)

    def _hex(self, name: str, kind: str, digits: int) -> str:
        if _HEX.fullmatch(name) and len(name) == digits + 2:
            return name.lower()
        made = "0x" + hashlib.sha256(f"{kind} {name}".encode()).hexdigest()[:digits]
        self._names[made] = name
        return made

    def shown(self, value: str) -> str:
        """Return the name that a test has for an address or id."""
        return self._names.get(value, value)


class Outcome(NamedTuple):
    """What became of a test."""

    case: Case
    match: Match
    dead: dict[str, int]
    """Orders that the worker could not read, by what is wrong with them."""

    @property
    def passed(self) -> bool:
        """Whether everything came as expected, and nothing else."""
        return self.match.perfect and not self.dead


def run_case(case: Case, engine: Engine, *, market_partition: Callable[[bytes], int]) -> Outcome:
    """Replay the orders of a test, and compare."""
    names = Names()
    alerts: list[Alert] = []
    replay = Replay(engine, _TOPICS, alerts.append, market_partition=market_partition)
    replay.run(_records(case, names))
    replay.finish(EPOCH_MS + case.end_ms)
    looked_at = [alert for alert in alerts if not case.only or alert.rule in case.only]
    return Outcome(case, match(case.alerts, looked_at, EPOCH_MS, names.shown), dict(replay.totals.dead))


def _records(case: Case, names: Names) -> Iterator[Record]:
    """Yield the orders as they arrive; all in one partition, as if it were the only one."""
    arriving = sorted(enumerate(case.orders), key=lambda item: item[1].arrival_ms)
    for offset, (number, order) in enumerate(arriving):
        made = _order(order, number, names)
        record = order_record(made, content_id(made), 0)
        headers = [("source", order.source.encode())]
        if order.label is not None:
            headers.append(("label", order.label.encode()))
        stamp = EPOCH_MS + order.arrival_ms
        yield Record(_TOPICS.orders, 0, offset, stamp, wallet_key(made.user), encode(record), headers)


def _order(order: CaseOrder, number: int, names: Names) -> Order:
    shares = (_USDC if order.usdc is None else order.usdc) / order.price if order.shares is None else order.shares
    market: dict[str, Any] = {}
    if order.market is not None:
        market = {"condition_id": names.market(order.market), "market_slug": order.market, "title": order.market}
    token = hashlib.sha256(f"{order.market} {order.outcome}".encode()).digest()[:8]
    return Order(
        user=names.wallet(order.wallet),
        token_id=str(int.from_bytes(token, "big")),
        token_label=order.outcome,
        side=order.side,
        shares=max(1, round(shares * 1e6)),
        price=order.price,
        tx_hash=f"0x{number + 1:064x}",
        timestamp=(EPOCH_MS + order.at_ms) // 1_000,
        log_index=number,
        **market,
    )
