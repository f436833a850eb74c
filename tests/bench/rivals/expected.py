"""What every contestant has to come to: the pure fold over the backlog. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from connector.contract.record import decode_order
from streams.fold import WalletFold
from streams.records import encode
from streams.stats.verdict import Verdict

if TYPE_CHECKING:
    from streams.rules.engine import Engine
    from streams.stats.wallet import WalletState
    from tests.bench.prepared import Backlog

Alert = tuple[str, str]
"""Rule, and the id of the order that tipped it."""


class Wallet(NamedTuple):
    """A wallet after its last order."""

    state: WalletState
    partition: int
    offset: int
    """Of its last order that was no repetition."""


class Expected(NamedTuple):
    """Where the fold of a whole backlog ends."""

    wallets: dict[str, Wallet]
    alerts: set[Alert]
    clocks: list[list[int]]
    """By partition and offset, the log's clock in milliseconds."""

    @classmethod
    def of(cls, backlog: Backlog, rules: Engine) -> Expected:
        """Fold a backlog whose records lie at offsets from 0 on."""
        fold = WalletFold(rules)
        expected = cls({}, set(), [])
        for partition, records in enumerate(backlog.partitions):
            clock, clocks = 0, list[int]()
            expected.clocks.append(clocks)
            for offset, record in enumerate(records):
                clock = max(clock, record.timestamp_ms)
                clocks.append(clock)
                order = decode_order(record.value)
                known = expected.wallets.get(order.user)
                step = fold.step(
                    None if known is None else known.state,
                    order,
                    partition=partition,
                    offset=offset,
                    clock=clock,
                    source="ws",
                )
                if step.verdict is not Verdict.DUPLICATE:
                    expected.wallets[order.user] = Wallet(step.state, partition, offset)
                expected.alerts.update((alert.rule, order.event_id) for alert in step.alerts)
        return expected

    def statistics(self, wallet: str, *, at: int, as_of_offset: int) -> dict[str, Any]:
        """Return the record of a wallet's statistics at `at` (ms), as parsed JSON."""
        state, partition, _ = self.wallets[wallet]
        stats = WalletFold().stats(wallet, state, at=at, as_of_offset=as_of_offset, partition=partition)
        parsed: dict[str, Any] = orjson.loads(encode(stats))
        return parsed
