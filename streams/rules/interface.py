"""What the folds need of a rule engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from connector.contract.record import OrderRecord
    from streams.records import Alert, Scope
    from streams.stats.market import MarketState
    from streams.stats.wallet import WalletState

Errors = dict[int, int]
"""Rule number -> how often it had no value (a division by zero, ...) in one partition; part of its state."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """Where in `orders.v1` an order was, and what the log's clock (ms) said when it was folded."""

    partition: int
    offset: int
    clock: int
    source: str
    gap_id: str | None = None
    """The wallet's gap that was open when the order was published."""
    label: str | None = None
    """The wallet's on the watch-list when the order was published."""


class Rules(Protocol):
    """
    The rules of both scopes.

    Per order: `before_*` up to the clock, before the order is in the statistics, then `after_*` with the order in them.
    Without orders: `due` says when to call `before_*` again. All change only the `rules` of a state, and `before_*`
    lets its statistics decay, and count in `errors`.
    """

    def before_wallet(self, state: WalletState, wallet: str, clock: int, errors: Errors) -> list[Alert]:
        """Return the alerts that are due for a wallet up to `clock` (ms), in the order of their times."""

    def after_wallet(self, state: WalletState, order: OrderRecord, arrival: Arrival, errors: Errors) -> list[Alert]:
        """Return the alerts that this order brings for its wallet."""

    def before_market(self, state: MarketState, market: str, clock: int, errors: Errors) -> list[Alert]:
        """Return the alerts that are due for a market up to `clock` (ms), in the order of their times."""

    def after_market(self, state: MarketState, order: OrderRecord, arrival: Arrival, errors: Errors) -> list[Alert]:
        """Return the alerts that this order brings for its market."""

    def due(self, scope: Scope, state: WalletState | MarketState, at: int) -> int | None:
        """Return when after `at` (ms) `before_*` has something to do; None: not before the next order."""

    def rule_id(self, number: int) -> str | None:
        """Return the id of the rule that `errors` knows by a number, if it is in force."""


class NoRules:
    """Statistics only."""

    def before_wallet(self, *_: object) -> list[Alert]:
        """Return no alerts."""
        return []

    after_wallet = before_market = after_market = before_wallet

    def due(self, *_: object) -> None:
        """Return never."""

    rule_id = due
