"""
Which rules an order concerns: an index over their selectors, so that the others cost nothing.

Rules with the same selectors share a bucket; a selector that names several values is in several.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.rules.rule import Selectors

T = TypeVar("T")
Key = tuple[str | None, str | None, str | None]
"""Wallet, label, market; None: any. A market prefix keeps its `*`."""

MOST_KEYS = 10_000
"""Combinations that one rule's selectors may have."""


def keys(select: Selectors) -> list[Key]:
    """Return the combinations that a rule is found under."""
    return list(product(select.wallets or (None,), select.wallet_labels or (None,), select.markets or (None,)))


class Index(Generic[T]):
    """Items by the orders they concern."""

    def __init__(self, items: Iterable[tuple[Selectors, T]]) -> None:
        self._buckets: dict[Key, list[T]] = {}
        for select, item in items:
            for key in keys(select):
                self._buckets.setdefault(key, []).append(item)
        self._wallets = any(wallet is not None for wallet, _, _ in self._buckets)
        self._labels = any(label is not None for _, label, _ in self._buckets)
        markets = {market for _, _, market in self._buckets if market is not None}
        self._markets = bool(markets)
        self._prefixes = sorted({len(market) - 1 for market in markets if market.endswith("*")})

    def buckets(self) -> dict[Key, list[T]]:
        """Return the items by key, each list in the order in which they were given."""
        return self._buckets

    def find(self, wallet: str, label: str | None, condition_id: str | None, slug: str | None) -> list[Key]:
        """Return the keys of the buckets that concern such an order."""
        wallets = (None, wallet) if self._wallets else _ANY
        labels = (None, label) if self._labels and label is not None else _ANY
        markets = self._names(condition_id, slug) if self._markets else _ANY
        return [key for key in product(wallets, labels, markets) if key in self._buckets]

    def _names(self, condition_id: str | None, slug: str | None) -> Sequence[str | None]:
        names: list[str | None] = [None]
        for name in (condition_id, slug):
            if name is not None:
                names.append(name)
                names += [f"{name[:length]}*" for length in self._prefixes if length <= len(name)]
        return list(dict.fromkeys(names))


_ANY: Sequence[str | None] = (None,)
