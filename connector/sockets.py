"""The sockets of a replica: of each side one per key, with the wanted wallets spread over them. Shell."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connector.backoff import Backoff
from connector.dialects import connection_url
from connector.feed import Feed
from connector.metrics import UNREAD, Metrics
from connector.packing import Packing, repack
from connector.process.mask import Mask
from connector.session import Session
from connector.websocket import open_socket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractAsyncContextManager

    from connector.dedupe import Channel
    from connector.dialects import Dialect
    from connector.listeners import Observer, Receiver
    from connector.packing import Group, Quota
    from connector.session import Limits
    from connector.subscription import Wallets
    from connector.websocket import Socket


@dataclass(frozen=True, kw_only=True)
class SideConfig:
    """One provider, with one or several keys. Every side delivers every wallet for which it has room."""

    name: str
    """`primary` or `mirror`; a socket is called by its side and the number of its key."""
    provider: str
    """In the records' provenance."""
    dialect: Dialect
    url: str = field(repr=False)
    """With `{key}`."""
    keys: tuple[str, ...] = field(repr=False)
    quota: Quota
    """Of each key."""
    limits: Limits
    connect_timeout: float = 10.0
    """Seconds, like all times here."""
    backoff_base: float = 0.5
    backoff_cap: float = 30.0
    healthy_spell: float = 60.0
    patience: float = 60.0
    """For which a key that had worked may be refused; infinite: the other side goes on alone."""


class Sockets:
    """
    Keeps the wanted wallets subscribed on every side.

    Args:
        sides: The first is the primary.
        receiver: Gets orders and dead letters.
        observer: Hears what is delivered and proven.
        opener: Makes a connection to a URL; for tests.
        metrics: Told of frames, connections and their ends.
    """

    def __init__(
        self,
        sides: Sequence[SideConfig],
        receiver: Receiver,
        observer: Observer,
        *,
        opener: Callable[[SideConfig, str], AbstractAsyncContextManager[Socket]] | None = None,
        metrics: Metrics = UNREAD,
    ) -> None:
        mask = Mask(key for side in sides for key in side.keys)
        self._opener = opener or _open
        self._metrics = metrics
        self._sides = [
            _Side(side, [self._feed(side, n, receiver, observer, mask) for n in range(len(side.keys))])
            for side in sides
        ]
        self._feeds = {feed.name: feed for side in self._sides for feed in side.feeds}

    @property
    def names(self) -> tuple[str, ...]:
        """Of the sockets."""
        return tuple(self._feeds)

    @property
    def sides(self) -> tuple[Sequence[Feed], ...]:
        """The sockets of each side, the primary first."""
        return tuple(side.feeds for side in self._sides)

    @property
    def ignored(self) -> Counter[str]:
        """Messages that are known and of no use, by what they were."""
        return sum((feed.session.ignored for feed in self._feeds.values()), Counter())

    def watch(self, wallets: Iterable[str]) -> list[str]:
        """
        Watch exactly these wallets, in lower case, from now on.

        Returns:
            Those for which the primary has no room. They get it as soon as there is some.
        """
        wanted = sorted(set(wallets))
        primary, *_ = [side.watch(wanted) for side in self._sides]
        return primary

    def concerned(self, channel: Channel) -> Wallets:
        """Return the wallets whose orders come on a channel; all of its socket if the subscription is unknown."""
        socket, _, subscription_id = channel
        return self._feeds[socket].session.in_force(subscription_id)

    async def run(self) -> None:
        """
        Read until `stop`. Errors may come in an `ExceptionGroup`.

        Raises:
            ProviderRefused: a provider turned a key away.
            PublishFailed: the receiver failed for good.
        """
        async with asyncio.TaskGroup() as tasks:
            for feed in self._feeds.values():
                tasks.create_task(feed.run())

    async def stop(self) -> None:
        """Close all sockets; `run` hands over what had reached them, then returns."""
        await asyncio.gather(*(feed.stop() for feed in self._feeds.values()))

    def _feed(self, side: SideConfig, number: int, receiver: Receiver, observer: Observer, mask: Mask) -> Feed:
        name = f"{side.name}-{number}"
        url = connection_url(side.url, side.keys[number])
        return Feed(
            name=name,
            session=Session(side.dialect, side.limits, provider=side.provider, name=name),
            receiver=receiver,
            observer=observer,
            open_socket=lambda: self._opener(side, url),
            backoff=Backoff(base=side.backoff_base, cap=side.backoff_cap, random=random.random),
            healthy_spell=side.healthy_spell,
            mask=mask,
            patience=side.patience,
            metrics=self._metrics,
        )


class _Side:
    """The sockets of one side, and which wallet is where."""

    def __init__(self, config: SideConfig, feeds: list[Feed]) -> None:
        self.feeds = feeds
        self._quotas = [config.quota] * len(feeds)
        self._packing = Packing(keys=tuple({} for _ in feeds), left_out=())

    def watch(self, wanted: Sequence[str]) -> list[str]:
        before, self._packing = self._packing.keys, repack(self._packing.keys, wanted, self._quotas)
        for feed, old, new in zip(self.feeds, before, self._packing.keys, strict=True):
            changes = _changes(old, new)
            if changes:
                feed.want(changes)
        return list(self._packing.left_out)


def _changes(old: dict[int, Group], new: dict[int, Group]) -> dict[str, Wallets]:
    """Return the subscriptions that change, by name; an ended one has no wallets."""
    return {f"wallets-{n}": new.get(n, ()) for n in sorted(old | new) if new.get(n) is not old.get(n)}


def _open(side: SideConfig, url: str) -> AbstractAsyncContextManager[Socket]:
    return open_socket(url, connect_timeout=side.connect_timeout, fatal_close_codes=side.dialect.fatal_close_codes)
