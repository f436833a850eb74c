"""Packing of wallets into subscriptions under a provider's quota."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class Quota(msgspec.Struct, frozen=True):
    """What a provider allows one key."""

    subscriptions: int
    wallets_each: int
    """Wallets in one subscription."""

    @property
    def wallets(self) -> int:
        """Wallets in all."""
        return self.subscriptions * self.wallets_each


class Packing(msgspec.Struct, frozen=True):
    """Groups of wallets, one per subscription, and the wallets for which there was no room."""

    groups: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]


def pack(wallets: Iterable[str], quota: Quota) -> Packing:
    """Fill subscription after subscription in the order given; a wallet named twice counts once."""
    unique = iter(dict.fromkeys(wallet.lower() for wallet in wallets))
    groups: list[tuple[str, ...]] = []
    while len(groups) < quota.subscriptions and (group := tuple(islice(unique, quota.wallets_each))):
        groups.append(group)
    return Packing(groups=tuple(groups), left_out=tuple(unique))
