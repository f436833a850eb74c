"""Who trades and what is traded in the generated market."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from random import Random

ZIPF_EXPONENT = 1.1
"""Skew of the wallets' activity: of 1,000, the busiest has about a sixth of all orders."""
EXCHANGE = "0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e"
"""The exchange contract, which rows of takers name as their counterparty."""
_ASSETS = ("Bitcoin", "Ethereum", "Solana", "XRP")
_FIRST_EXPIRY = 1_767_556_800


class Outcome(msgspec.Struct, frozen=True):
    """One side of a market."""

    token_id: str
    label: str


class Market(msgspec.Struct):
    """A two-outcome market; `ticks` is the first outcome's price in cents, the second's is 100 less that."""

    condition_id: str
    slug: str
    title: str
    outcomes: tuple[Outcome, Outcome]
    ticks: int

    def walk(self, step: int) -> None:
        """Move the price by `step` cents, within 1 and 99."""
        self.ticks = min(99, max(1, self.ticks + step))


class Population:
    """Wallets, some of which trade far more than others."""

    def __init__(self, rng: Random, size: int) -> None:
        self.wallets = [hex_id(rng, 160) for _ in range(size)]
        """The busiest first."""
        self._cumulative = list(accumulate(1 / rank**ZIPF_EXPONENT for rank in range(1, size + 1)))

    def pick(self, rng: Random) -> str:
        """Return a wallet, the busier the likelier."""
        return rng.choices(self.wallets, cum_weights=self._cumulative)[0]


def make_markets(rng: Random, count: int) -> list[Market]:
    """Return markets shaped like the recorded ones."""
    return [_market(rng, number) for number in range(count)]


def hex_id(rng: Random, bits: int) -> str:
    """Return a random address (160 bits) or hash (256 bits)."""
    return f"0x{rng.getrandbits(bits):0{bits // 4}x}"


def _market(rng: Random, number: int) -> Market:
    asset = _ASSETS[number % len(_ASSETS)]
    expiry = _FIRST_EXPIRY + 900 * number
    up, down = (str(rng.getrandbits(255)) for _ in range(2))
    return Market(
        condition_id=hex_id(rng, 256),
        slug=f"{asset.lower()}-updown-15m-{expiry}",
        title=f"{asset} Up or Down - quarter hour {number + 1}",
        outcomes=(Outcome(up, "Up"), Outcome(down, "Down")),
        ticks=rng.randint(20, 80),
    )
