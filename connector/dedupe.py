"""
Which delivery of an order is a new fill, and which is one we know.

Deliveries repeat: a provider sends again after a reconnect, or once per matching
subscription. Fills repeat too: two fills of one transaction can have equal content
("twins"), and then only `log_index`, where a provider sends it, tells them apart.

What is certain is published, what is a repeat is dropped, and what cannot be told apart here
is UNSETTLED: never dropped silently, never published, since a published twin cannot be taken
back. The number of fills published of one content never exceeds the number that happened, as
long as the content is remembered.

What this cannot see: of twins without `log_index`, the first delivered on one connection and
the second on the next, the second looks like the first delivered again, and is dropped.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

import msgspec

Channel = tuple[int, str]
"""One subscription on one connection: connection number, the provider's subscription id."""


class Verdict(Enum):
    """What a delivery turned out to be."""

    NEW = auto()
    DUPLICATE = auto()
    UNSETTLED = auto()


class Decision(msgspec.Struct, frozen=True):
    """A verdict, and for a NEW fill its occurrence number, from 0."""

    verdict: Verdict
    occurrence: int = 0


class Decider(Protocol):
    """Decides on deliveries, in the order of their arrival."""

    def decide(self, content: str, channel: Channel, log_index: int | None) -> Decision:
        """Return the verdict on one delivery of `content`."""


FIRST = Decision(Verdict.NEW)
DUPLICATE = Decision(Verdict.DUPLICATE)
UNSETTLED = Decision(Verdict.UNSETTLED)


_CHANNELS = 16
"""Remembered per content. A wallet is in one subscription, so these are the latest connections that delivered it."""


class _Heard(msgspec.Struct):
    """Deliveries of one content on one channel."""

    frames: int
    """Without `log_index`."""
    indexes: set[int]


class _Seen(msgspec.Struct):
    """Deliveries of one content."""

    published: int
    indexes: set[int]
    """Every `log_index` delivered: as many fills at least are certain."""
    heard: dict[Channel, _Heard]
    """By channel, in order of their first delivery."""

    def nth_on(self, channel: Channel) -> int:
        """Return how many different fills this channel seems to have delivered."""
        heard = self.heard[channel]
        return heard.frames + len(heard.indexes)


class Dedupe:
    """
    Memory of deliveries, bounded: it knows at least the latest `size` contents, at most twice as many.

    A repeat of a content that was forgotten is published again, with the same `event_id`. What is
    known of one content is bounded too: a provider may repeat its latest orders on every connection.
    About 250 bytes per content; it grows only with use.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[str, _Seen | tuple[Channel, int | None]] = {}
        self._old: dict[str, _Seen | tuple[Channel, int | None]] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def decide(self, content: str, channel: Channel, log_index: int | None) -> Decision:
        """
        Return the verdict on one delivery of `content`.

        With `log_index`: a known one is a DUPLICATE; more different ones than were published
        prove a NEW fill. Otherwise the n-th delivery on a channel is at most the n-th fill: a
        DUPLICATE when that many were published, UNSETTLED beyond.
        """
        known = self._young.get(content) or self._old.pop(content, None)
        if known is None:
            # Nearly every content is delivered once: a tuple costs a third of a `_Seen`.
            self._remember(content, (channel, log_index))
            return FIRST
        seen = known if isinstance(known, _Seen) else _expanded(*known)
        self._remember(content, seen)
        return _judge(seen, channel, log_index)

    def _remember(self, content: str, value: _Seen | tuple[Channel, int | None]) -> None:
        self._young[content] = value
        if len(self._young) > self._size:
            self._old = self._young
            self._young = {}


def _expanded(channel: Channel, log_index: int | None) -> _Seen:
    seen = _Seen(published=1, indexes=set(), heard={})
    _note(seen, channel, log_index)
    return seen


def _note(seen: _Seen, channel: Channel, log_index: int | None) -> None:
    heard = seen.heard.get(channel)
    if heard is None:
        heard = seen.heard[channel] = _Heard(frames=0, indexes=set())
        if len(seen.heard) > _CHANNELS:
            del seen.heard[next(iter(seen.heard))]
    if log_index is None:
        heard.frames += 1
    else:
        seen.indexes.add(log_index)
        heard.indexes.add(log_index)


def _judge(seen: _Seen, channel: Channel, log_index: int | None) -> Decision:
    repeated = log_index in seen.indexes
    _note(seen, channel, log_index)
    if repeated:
        return DUPLICATE
    if len(seen.indexes) > seen.published:
        seen.published += 1
        return Decision(Verdict.NEW, seen.published - 1)
    return DUPLICATE if seen.nth_on(channel) <= seen.published else UNSETTLED


class NoDedupe:
    """Publishes every delivery. For demonstrations that an audit finds what dedupe prevents."""

    def decide(self, content: str, channel: Channel, log_index: int | None) -> Decision:  # noqa: ARG002 - a Decider
        """Return NEW, occurrence 0, whatever came before."""
        return FIRST
