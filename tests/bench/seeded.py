"""States of wallets as they are after a few orders, for as many wallets as wanted. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.contract.record import decode_order
from streams.fold import WalletFold
from tests.bench.prepared import backlog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.contract.record import OrderRecord
    from streams.stats.wallet import WalletState

DIFFERENT = 100
"""Wallets that are really folded; the others have states like theirs."""
_ORDERS_EACH = 20
_START_S = 1_767_556_800.0
_SECONDS = 3_600.0


class Seeded:
    """Encoded states, and orders that come next."""

    def __init__(self) -> None:
        made = backlog(
            2 * DIFFERENT * _ORDERS_EACH,
            shape="equal",
            wallets=DIFFERENT,
            partitions=1,
            start=_START_S,
            seconds=2 * _SECONDS,
        )
        stored = [(decode_order(each.value), each.timestamp_ms) for each in made.partitions[0]]
        half = len(stored) // 2
        folding, states = WalletFold(), dict[str, "WalletState"]()
        for offset, (order, clock) in enumerate(stored[:half]):
            step = folding.step(states.get(order.user), order, partition=0, offset=offset, clock=clock, source="ws")
            states[order.user] = step.state
        self.values = [state.encode() for state in states.values()]
        self.next: list[OrderRecord] = [order for order, _ in stored[half:]]
        self.clock = stored[half][1]
        """Log clock at the first of the next orders, unix milliseconds."""

    def of(self, wallets: int) -> Iterator[tuple[str, bytes]]:
        """Yield so many wallets with the state of each."""
        for number in range(wallets):
            yield f"0x{number:040x}", self.values[number % len(self.values)]
