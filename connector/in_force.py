"""The wallets that a socket delivers, counted over its subscriptions: one may be in two while it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector.commands import Command, Live, Lost

if TYPE_CHECKING:
    from connector.contract.gap import Cause
    from connector.subscription import Subscription, Wallets


class InForce:
    """Counts of subscriptions per wallet."""

    def __init__(self) -> None:
        self._count: dict[str, int] = {}

    @property
    def wallets(self) -> Wallets:
        """Wallets with a subscription that certainly delivers them."""
        return tuple(self._count)

    def tell(self, subscription: Subscription, cause: Cause) -> list[Command]:
        """Take note of a subscription that changed; return who is no longer in force, and who is newly."""
        before, after = subscription.told, subscription.certain()
        if before is after:
            return []
        subscription.told = after
        kept = frozenset(before).intersection(after)
        gained = tuple(wallet for wallet in after if wallet not in kept and self._added(wallet))
        lost = tuple(wallet for wallet in before if wallet not in kept and self._removed(wallet))
        told: list[Command] = [Lost(lost, cause)] if lost else []
        return [*told, Live(gained, subscription.id)] if gained and subscription.id else told

    def clear(self) -> Wallets:
        """Forget everything; return what was in force."""
        lost = self.wallets
        self._count.clear()
        return lost

    def _added(self, wallet: str) -> bool:
        self._count[wallet] = self._count.get(wallet, 0) + 1
        return self._count[wallet] == 1

    def _removed(self, wallet: str) -> bool:
        left = self._count.pop(wallet) - 1
        if left:
            self._count[wallet] = left
        return not left
