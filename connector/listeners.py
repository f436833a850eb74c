"""Who hears of what a socket brings, and of what it certainly delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.commands import Bury, Deliver
    from connector.contract.gap import Cause


class Receiver(Protocol):
    """Takes what a socket brings, in its order."""

    async def order(self, delivery: Deliver) -> bool:
        """Take an order; wait while there is no room. Return whether it is new."""

    async def dead(self, letter: Bury, wallets: Sequence[str]) -> None:
        """Take a frame that cannot be read, and the wallets that it may concern."""


class Observer(Protocol):
    """
    Hears which wallets a socket delivers. Times are seconds of the event loop's clock.

    Of a wallet it hears `live` and `lost` in turns.
    """

    def live(self, socket: str, wallets: Sequence[str], subscription_id: str) -> None:
        """From now on they are delivered."""

    def lost(self, socket: str, wallets: Sequence[str], proven_at: float, cause: Cause) -> None:
        """They are no longer delivered for certain, and nothing is proven after `proven_at`."""

    def stalled(self, socket: str, wallets: Sequence[str], since: float) -> None:
        """We did not listen from `since` until now: the provider may have dropped orders."""

    def proven(self, socket: str, at: float) -> None:
        """Everything that had arrived by `at` was handed to the receiver."""

    def refused(self, socket: str, wallets: Sequence[str], code: str, message: str) -> None:
        """The provider does not deliver them as asked; they are asked for again later."""

    def provider_date(self, date: str, at: float) -> None:
        """The provider's answer to a handshake, which came at `at`, carried this HTTP date."""
