"""One subscription: what is wanted of it, what the provider confirmed, what is asked at the moment."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Wallets = tuple[str, ...]


class Subscription(msgspec.Struct, eq=False):
    """State of one subscription. Times are seconds of the caller's clock."""

    name: str
    wanted: Wallets
    """Nothing: to be ended."""
    in_force: Wallets = ()
    """Of the last ack; after a reconnect it is asked for first, since it was accepted once."""
    id: str | None = None
    asked: Wallets | None = None
    """Wallets of the open request: a subscribe while there is no id, an update afterwards."""
    told: Wallets = ()
    """What the shell was told to be in force."""
    retry_at: float = -math.inf
    lost_at: float = -math.inf
    """When the provider last ended it by itself."""

    @property
    def action(self) -> str:
        """What an open request is."""
        return "subscribe" if self.id is None else "update"

    @property
    def asked_for(self) -> Wallets:
        """The wallets that an open request is to bring."""
        before = frozenset(() if self.id is None else self.in_force)
        return tuple(wallet for wallet in self.asked or () if wallet not in before)

    def certain(self) -> Wallets:
        """Return the wallets that the provider delivers, whether it has carried out an open request or not."""
        if self.id is None:
            return ()
        if self.asked is None:
            return self.in_force
        asked = frozenset(self.asked)
        return tuple(wallet for wallet in self.in_force if wallet in asked)

    def goal(self, others: Iterable[Subscription]) -> Wallets:
        """
        Return the wallets to ask for now, or `in_force` itself if there is nothing to ask.

        A wallet that moves to another subscription is kept until the other one delivers it. Newcomers wait for its
        place: more wallets than are wanted, or were accepted, might break the quota.
        """
        if self.wanted is self.in_force:
            return self.in_force
        wanted = frozenset(self.wanted)
        if self.id is None:
            return tuple(wallet for wallet in self.in_force if wallet in wanted) or self.wanted
        leaving = {wallet for wallet in self.in_force if wallet not in wanted}
        moving = {
            wallet
            for other in others
            if leaving and other is not self
            for wallet in leaving.intersection(other.wanted).difference(other.told)
        }
        goal = self._with(moving) if moving else self.wanted
        return self.in_force if frozenset(goal) == frozenset(self.in_force) else goal

    def _with(self, moving: set[str]) -> Wallets:
        kept, present = moving.union(self.wanted), frozenset(self.in_force)
        staying = tuple(wallet for wallet in self.in_force if wallet in kept)
        newcomers = tuple(wallet for wallet in self.wanted if wallet not in present)
        return staying + newcomers[: max(len(self.wanted), len(self.in_force)) - len(staying)]

    def renewed(self) -> Subscription:
        """Return what outlives the connection."""
        return Subscription(name=self.name, wanted=self.wanted, in_force=self.in_force, lost_at=self.lost_at)
