"""The memory of what was published to a partition: bounded, and rebuilt from the topic itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from connector.contract.identity import split_event_id
from connector.fills import DUPLICATE, FIRST, Channel, Decision, Fills, Single, Verdict, expanded, heard_again

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Channel", "Decision", "Memory", "NoDedupe", "Reconciled", "Verdict"]

_DEEPENED = 4
"""Sizes to which a generation may grow while a wallet is deepened, so that a long back-fill does not forget itself."""

_SKEW_MS = 5_000
"""By how much a block's timestamp may be ahead of the clock that `now_ms` is read from."""


class Reconciled(NamedTuple):
    """What one REST page says of one content."""

    fresh: list[tuple[int, int]]
    """To publish: position of the row among those given, and its occurrence number."""
    known: int
    """Rows that were published before, or repeat another."""


class Memory:
    """
    What was published to one partition, bounded: at least the latest `size` contents.

    It keeps two generations; a full one takes the place of the older, which is dropped. So at most
    twice `size` contents are kept, up to eight times while a wallet is deepened. What is known of
    one content is bounded too: a provider may repeat its latest orders on every connection.
    About 210 bytes per content, 300 with what the tables keep free; it grows only with use.

    Times are unix milliseconds, by a clock that does not run backwards.

    Args:
        size: Contents that are remembered at least.
        floor_ms: Append time from which on everything published is going to be absorbed; 0 if the
            partition is read from its start.
    """

    def __init__(self, size: int, floor_ms: int) -> None:
        self._size = size
        self._young: dict[str, Single | Fills] = {}
        self._old: dict[str, Single | Fills] = {}
        self._old_until_ms = floor_ms
        self._deepened: dict[str, int] = {}
        self.floor_ms = floor_ms
        """Everything published from then on is known."""

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def __contains__(self, content: str) -> bool:
        return content in self._young or content in self._old

    def absorb(self, event_id: str, log_index: int | None, at_ms: int) -> bool:
        """
        Take in a record of the topic, appended at `at_ms`; call it in the order of the log.

        Returns:
            False when the topic had this `event_id` already.

        Raises:
            InvalidRecord: that is no event id.
        """
        first = self._absorb(event_id, log_index)
        self._complete(at_ms)
        return first

    def deepened(self, wallet: str, floor_ms: int, older: Iterable[tuple[str, int | None]], now_ms: int) -> bool:
        """
        Take in a wallet's older records, so that its memory reaches down to `floor_ms`.

        It does so until a generation is completed; `floor_of` tells.

        Args:
            wallet: In lower case.
            floor_ms: Append time from which on the partition was read.
            older: `event_id` and `log_index` of the wallet's records from then on, in the order of the
                log, at least up to what was known; more do no harm.
            now_ms: The time now.

        Returns:
            False when these are more than the memory may hold.

        Raises:
            InvalidRecord: one has no event id.
        """
        for event_id, log_index in older:
            self._absorb(event_id, log_index)
        self._deepened[wallet] = min(floor_ms, self.floor_of(wallet))
        self._complete(now_ms)
        return self.floor_of(wallet) <= floor_ms

    def published(self, content: str) -> int:
        """Return how many fills of a content were published, as far as known."""
        known = self._young.get(content) or self._old.get(content)
        return expanded(known).published

    def corrected(self, content: str, held: Iterable[tuple[str, int | None]]) -> None:
        """Take it that the topic holds no more of a content than these records: `event_id` and `log_index`."""
        self._young.pop(content, None)
        self._old.pop(content, None)
        for event_id, log_index in held:
            self._absorb(event_id, log_index)

    def floor_of(self, wallet: str) -> int:
        """Return the time from which on everything published of this wallet is known."""
        return self._deepened.get(wallet, self.floor_ms)

    def reaches(self, wallet: str, timestamp: int) -> bool:
        """Return whether an order of this wallet, executed in this unix second, would be known if it was published."""
        floor_ms = self.floor_of(wallet)
        return floor_ms == 0 or timestamp * 1000 >= floor_ms + _SKEW_MS

    def decide(self, content: str, channel: Channel, log_index: int | None, now_ms: int) -> Decision:
        """Return the verdict on one delivery of `content` by a socket, see `Fills.delivered`."""
        known = self._take(content)
        again = heard_again(known, channel, log_index) if type(known) is tuple else None
        if known is None:
            self._young[content], decision = (log_index, channel), FIRST
        elif again is not None:
            self._young[content], decision = again, DUPLICATE
        else:
            fills = self._young[content] = expanded(known)
            decision = fills.delivered(channel, log_index)
        self._complete(now_ms)
        return decision

    def reconcile(self, content: str, indexes: Sequence[int | None], now_ms: int) -> Reconciled:
        """Return what to publish of the rows of one content in one REST page, see `Fills.listed`."""
        known = self._take(content)
        fills = expanded(known)
        fresh = fills.listed(indexes)
        self._young[content] = (indexes[0],) if known is None and len(indexes) == 1 else fills
        self._complete(now_ms)
        return Reconciled(fresh, len(indexes) - len(fresh))

    def _take(self, content: str) -> Single | Fills | None:
        return self._young.get(content) or self._old.pop(content, None)

    def _absorb(self, event_id: str, log_index: int | None) -> bool:
        content, occurrence = split_event_id(event_id)
        known = self._take(content)
        if known is None and occurrence == 0:
            self._young[content] = (log_index,)
            return True
        fills = self._young[content] = expanded(known)
        return fills.recorded(occurrence, log_index)

    def _complete(self, now_ms: int) -> None:
        """Let a full generation take the place of the older one."""
        if len(self._young) <= (self._size * _DEEPENED if self._deepened else self._size):
            return
        self.floor_ms = max(self.floor_ms, self._old_until_ms)
        self._deepened.clear()
        self._old, self._young = self._young, {}
        self._old_until_ms = now_ms + 1


class NoDedupe(Memory):
    """Publishes every delivery. For demonstrations that an audit finds what dedupe prevents."""

    def decide(self, content: str, channel: Channel, log_index: int | None, now_ms: int) -> Decision:
        """Return NEW, occurrence 0, whatever came before."""
        super().decide(content, channel, log_index, now_ms)
        return FIRST
