"""Answers to probes: what the parts of a replica show of themselves, for `connector.health` to judge. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from connector.health import Line, Part, Standing, stuck, unready
from connector.replica.gauges import CONNECTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.feed import Feed
    from connector.replica.assembly import Parts
    from connector.settings import Settings

_SLACK = 30.0
"""Seconds beyond what the limits allow, for a machine that is busy."""


class Probes:
    """
    What `/livez` and `/readyz` say. That they are answered at all shows that the event loop turns.

    Args:
        stop: Set when the end has begun.
    """

    def __init__(self, settings: Settings, stop: asyncio.Event) -> None:
        self.parts: Parts | None = None
        """Set once they run."""
        self._outage = settings.outage_timeout + _SLACK
        self._regroup = settings.session_timeout + settings.rebalance_timeout
        self._attempt = settings.connect_timeout + settings.backoff_cap + _SLACK
        self._stop = stop
        self._clock = asyncio.get_running_loop().time

    def live(self) -> str:
        """Return what a restart may help; nothing while everything moves, or ends."""
        if self.parts is None or self._stop.is_set():
            return ""
        return stuck(self._moving(self.parts), self._clock())

    def ready(self) -> str:
        """Return why we do not do our part at the moment."""
        if self.parts is None or self._stop.is_set():
            return unready(Standing(stage="stopping" if self._stop.is_set() else "starting"))
        replica = self.parts.replica
        return unready(
            Standing(
                stage="running",
                member=self.parts.membership.joined,
                sure=replica.may_write(),
                owned=len(replica.shards),
                restoring=[number for number, shard in sorted(replica.shards.items()) if not shard.known],
                sides=[[_line(feed) for feed in side if feed.session.needed] for side in self.parts.sockets.sides],
            )
        )

    def _moving(self, parts: Parts) -> Iterator[Part]:
        yield Part("the publisher", parts.publisher.moved_at, self._outage)
        yield Part("the reader of the watch-list", parts.membership.read_at, self._outage + self._regroup)
        yield Part("the proof of ownership", parts.membership.proven_at, self._outage + self._regroup)
        yield Part("the ledger", parts.ledger.moved_at, self._outage)
        for feed in (feed for side in parts.sockets.sides for feed in side):
            yield Part(f"socket {feed.name}", feed.moved_at, self._attempt)


def _line(feed: Feed) -> Line:
    session = feed.session
    return Line(feed.name, connected=session.state in CONNECTED, delivers=bool(session.in_force()))
