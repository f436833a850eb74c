"""
The fills of one content: which delivery of an order is a new fill, and which is one we know.

Deliveries repeat: a provider sends again after a reconnect, or once per matching
subscription. Fills repeat too: two fills of one transaction can have equal content
("twins"), and then only `log_index`, where a provider sends it, or REST, which lists each
fill once, tells them apart.

What is certain is published, what is a repeat is dropped, and what cannot be told apart here
is UNSETTLED: never published, since a published twin cannot be taken back, and never dropped
silently, since REST is asked about it. Three things are certain of a content:

- the fills published of it, known from our own decisions and from the topic;
- as many fills as different `log_index` values were seen;
- as many fills as rows stand in one REST page.

The number published follows the greatest of them, so it never exceeds the number that
happened, whatever is repeated, reordered, late, or stripped of its index.

What the socket alone cannot tell: of twins without `log_index`, the first delivered on one
connection and the second on the next, the second looks like the first delivered again, and is
dropped. REST brings it back.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

Channel = tuple[str, int, str]
"""One subscription on one connection: the socket's name, connection number, the provider's subscription id."""


class Verdict(Enum):
    """What a delivery turned out to be."""

    NEW = auto()
    DUPLICATE = auto()
    UNSETTLED = auto()


class Decision(msgspec.Struct, frozen=True):
    """A verdict, and for a NEW fill its occurrence number, from 0."""

    verdict: Verdict
    occurrence: int = 0


FIRST = Decision(Verdict.NEW)
DUPLICATE = Decision(Verdict.DUPLICATE)
UNSETTLED = Decision(Verdict.UNSETTLED)

Single = tuple[int | None, *tuple[Channel, ...]]
"""One fill: its `log_index`, and the channels that delivered it, once each. Nearly every content."""

_CHANNELS = 16
"""Remembered per content. A wallet is in one subscription, so these are the latest connections that delivered it."""


class _Heard(msgspec.Struct):
    """Deliveries of one content on one channel."""

    frames: int
    """Without `log_index`."""
    indexes: set[int]


class Fills(msgspec.Struct):
    """What is known of one content."""

    published: int = 0
    indexes: set[int] = msgspec.field(default_factory=set)
    """Every `log_index` seen: as many fills at least are certain."""
    heard: dict[Channel, _Heard] = msgspec.field(default_factory=dict)
    """By channel, in order of their first delivery."""

    def delivered(self, channel: Channel, log_index: int | None) -> Decision:
        """
        Return the verdict on one delivery by a socket.

        More different indexes than were published prove a NEW fill. Otherwise a known index is a
        DUPLICATE, and the n-th delivery on a channel is at most the n-th fill: a DUPLICATE when
        that many were published, UNSETTLED beyond.
        """
        repeated = log_index in self.indexes
        heard = self.note(channel, log_index)
        if len(self.indexes) > self.published:
            self.published += 1
            return Decision(Verdict.NEW, self.published - 1)
        nth = heard.frames + len(heard.indexes)
        return DUPLICATE if repeated or nth <= self.published else UNSETTLED

    def note(self, channel: Channel, log_index: int | None) -> _Heard:
        """Remember a delivery; return what its channel has delivered."""
        heard = self.heard.get(channel)
        if heard is None:
            heard = self.heard[channel] = _Heard(frames=0, indexes=set())
            if len(self.heard) > _CHANNELS:
                del self.heard[next(iter(self.heard))]
        if log_index is None:
            heard.frames += 1
        else:
            self.indexes.add(log_index)
            heard.indexes.add(log_index)
        return heard

    def listed(self, indexes: Sequence[int | None]) -> list[tuple[int, int]]:
        """
        Return what to publish of the rows in one REST page: positions and their occurrence numbers.

        Each fill is listed once, so rows without index count as that many fills, and rows with one
        as many as there are different ones, together with those seen before. Rows of different
        pages are never added up: where pages overlap they repeat.
        """
        candidates = self._unpublished_first(indexes)
        different = {index for index in indexes if index is not None}
        self.indexes |= different
        certain = max(len(self.indexes), len(different) + indexes.count(None))
        fresh = list(zip(candidates, range(self.published, certain), strict=False))
        self.published += len(fresh)
        return fresh

    def recorded(self, occurrence: int, log_index: int | None) -> bool:
        """Take in a record of the topic, in the order of the log; return whether it is the first with this number."""
        if log_index is not None:
            self.indexes.add(log_index)
        # What is numbered n was published after those below n, be they in what was read or before it.
        first = occurrence >= self.published
        self.published = max(self.published, occurrence + 1)
        return first

    def _unpublished_first(self, indexes: Sequence[int | None]) -> list[int]:
        """Return the positions of rows: each unseen index once, then rows without, then repeats."""
        first: list[int] = []
        for at, index in enumerate(indexes):
            if index is not None and index not in self.indexes and index not in indexes[:at]:
                first.append(at)
        rest = [at for at in range(len(indexes)) if at not in first]
        return first + sorted(rest, key=lambda at: indexes[at] is not None)


def heard_again(single: Single, channel: Channel, log_index: int | None) -> Single | None:
    """Return the fill with one more delivery, a duplicate; None if this takes `Fills` to judge."""
    if log_index != single[0]:
        return None
    if channel in single:
        return None if log_index is None else single
    channels = (*single[1:], channel)
    return (log_index, *channels[-_CHANNELS:])


def expanded(known: Single | Fills | None) -> Fills:
    """Return what is known of a content in the form that can hold it all."""
    if known is None:
        return Fills()
    if isinstance(known, Fills):
        return known
    log_index, *channels = known
    fills = Fills(published=1, indexes=set() if log_index is None else {log_index})
    for channel in channels:
        fills.note(channel, log_index)
    return fills
