"""
Packing of wallets into subscriptions under the quotas of several keys, with few changes.

Who is placed stays in place: a change of the wishes touches only the subscriptions that lose or
gain a wallet.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Group = tuple[str, ...]
"""The wallets of one subscription."""


class Quota(msgspec.Struct, frozen=True):
    """What a provider allows one key."""

    subscriptions: int
    wallets_each: int
    """Wallets in one subscription."""


class Packing(msgspec.Struct, frozen=True):
    """Groups of wallets, one per subscription, and the wallets for which there was no room."""

    keys: tuple[dict[int, Group], ...]
    """Of each key the groups, by a number below its quota of subscriptions."""
    left_out: tuple[str, ...]


def repack(current: Sequence[Mapping[int, Group]], wanted: Iterable[str], quotas: Sequence[Quota]) -> Packing:
    """
    Return a packing of `wanted` that changes `current` as little as it can.

    Newcomers fill, in the order given, first the subscriptions that change anyway, then others
    with room, then new ones; who comes last is left out. A group that is unchanged is the same
    object.

    Args:
        current: Of each key the groups, as an earlier call with the same quotas returned them.
        wanted: Wallets in lower case, the most important first.
        quotas: One per key.
    """
    wishes = dict.fromkeys(wanted)
    keys = [_Key(groups, wishes, quota) for groups, quota in zip(current, quotas, strict=True)]
    placed = {wallet for key in keys for group in key.groups.values() for wallet in group}
    newcomers = iter([wallet for wallet in wishes if wallet not in placed])
    for fill in (_Key.fill_changed, _Key.fill_existing, _Key.fill_new):
        for key in keys:
            fill(key, newcomers)
    return Packing(keys=tuple(key.packed() for key in keys), left_out=tuple(newcomers))


class _Key:
    """The groups of one key while they are repacked."""

    def __init__(self, current: Mapping[int, Group], wishes: Mapping[str, None], quota: Quota) -> None:
        self.groups = {number: _kept(group, wishes) for number, group in current.items()}
        self._changed = [number for number, group in self.groups.items() if group is not current[number]]
        self._quota = quota

    def fill_changed(self, newcomers: Iterator[str]) -> None:
        """Fill the subscriptions that lose a wallet."""
        for number in self._changed:
            self._fill(number, newcomers)

    def fill_existing(self, newcomers: Iterator[str]) -> None:
        """Fill every subscription there is."""
        for number, group in self.groups.items():
            if group:
                self._fill(number, newcomers)

    def fill_new(self, newcomers: Iterator[str]) -> None:
        """Make new subscriptions."""
        for number in range(self._quota.subscriptions):
            if not self.groups.get(number):
                self._fill(number, newcomers)

    def packed(self) -> dict[int, Group]:
        """Return the groups that are not empty."""
        return {number: group for number, group in self.groups.items() if group}

    def _fill(self, number: int, newcomers: Iterator[str]) -> None:
        group = self.groups.get(number, ())
        if taken := tuple(islice(newcomers, self._quota.wallets_each - len(group))):
            self.groups[number] = group + taken


def _kept(group: Group, wishes: Mapping[str, None]) -> Group:
    kept = tuple(wallet for wallet in group if wallet in wishes)
    return group if len(kept) == len(group) else kept
