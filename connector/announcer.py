"""What a session says has changed, told to the observer and, where people should know, to the log. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from connector.commands import Acknowledged, Live, Lost, Refused
from connector.session import State

if TYPE_CHECKING:
    from connector.listeners import Observer
    from connector.process.mask import Mask
    from connector.session import Session

_SHOWN = 10
"""Wallets named in a log line."""

log = structlog.get_logger(__name__)


class Announcer:
    """
    Announces what happens on one socket.

    Args:
        name: Of the socket.
        mask: Blots out the keys in what providers say.
    """

    def __init__(self, name: str, session: Session, observer: Observer, mask: Mask) -> None:
        self._name = name
        self._session = session
        self._observer = observer
        self._mask = mask
        self._live_connection = 0

    def announce(self, news: Acknowledged | Live | Lost | Refused, proven_at: float) -> None:
        """Tell of one change; up to `proven_at`, by the event loop's clock, all that had arrived was handed over."""
        if isinstance(news, Live):
            self._observer.live(self._name, news.wallets, news.subscription_id)
        elif isinstance(news, Lost):
            self._observer.lost(self._name, news.wallets, proven_at, news.cause)
        elif isinstance(news, Refused):
            self._refused(news)
        elif self._session.state is State.LIVE and self._live_connection != self._session.connection:
            self._live_connection = self._session.connection
            log.info("feed.live", socket=self._name, connection=self._session.connection)

    def stalled(self, since: float) -> None:
        """Tell that nothing was listened to from `since` until now."""
        if wallets := self._session.in_force():
            self._observer.stalled(self._name, wallets, since)

    def _refused(self, refused: Refused) -> None:
        code, message = self._mask.text(refused.code), self._mask.text(refused.message)
        log.error(
            "subscription.refused",
            socket=self._name,
            subscription=refused.name,
            action=refused.action,
            code=code,
            message=message,
            wallets=refused.wallets[:_SHOWN],
            count=len(refused.wallets),
        )
        self._observer.refused(self._name, refused.wallets, code, message)
