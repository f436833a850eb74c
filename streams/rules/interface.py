"""What the folds need of a rule engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.records import Alert
    from streams.stats.market import MarketState
    from streams.stats.wallet import WalletState


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """Where in `orders.v1` an order was, and what the log's clock (ms) said when it was folded."""

    partition: int
    offset: int
    clock: int
    source: str


class Rules(Protocol):
    """
    The rules of both scopes.

    Per order: `before_*` where statistics have decayed since the last one, before the order is in
    them, then `after_*` with the order in them. Both change only the `rules` of the state.
    """

    def before_wallet(self, state: WalletState, order: OrderRecord, clock: int) -> None:
        """Re-arm the wallet's rules whose condition is no longer true."""

    def after_wallet(self, state: WalletState, order: OrderRecord, arrival: Arrival) -> list[Alert]:
        """Return the alerts that this order tips for its wallet."""

    def before_market(self, state: MarketState, order: OrderRecord, clock: int) -> None:
        """Re-arm the market's rules whose condition is no longer true."""

    def after_market(self, state: MarketState, order: OrderRecord, arrival: Arrival) -> list[Alert]:
        """Return the alerts that this order tips for its market."""


class NoRules:
    """Statistics only."""

    def before_wallet(self, state: WalletState, order: OrderRecord, clock: int) -> None:
        """Do nothing."""

    def after_wallet(self, state: WalletState, order: OrderRecord, arrival: Arrival) -> list[Alert]:  # noqa: ARG002
        """Return no alerts."""
        return []

    def before_market(self, state: MarketState, order: OrderRecord, clock: int) -> None:
        """Do nothing."""

    def after_market(self, state: MarketState, order: OrderRecord, arrival: Arrival) -> list[Alert]:  # noqa: ARG002
        """Return no alerts."""
        return []
