"""
Rolling windows over order times: exact, out-of-order safe, cost per order independent of length.

Times are whole seconds, the resolution of orders. Every window has 60 buckets; bucket number of a
second is `second // width`, and at the time `at` a window holds the 60 buckets that end with the
one of `at`: it reaches back between `length - width` and `length`.

    1m window, width 1 s, at = 100:       buckets 41 .. 100
    5m window, width 5 s, at = 1003:      buckets 141 .. 200 = seconds 705 .. 1004

The widths divide each other, so an order lies in one bucket at a time: that of the shortest
window which still holds it. When the bucket leaves that window it is merged into the wider bucket
of the next one. Sums need no bucket walk: a window's sum is the sum of everything ever added minus
what has expired from it.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import NamedTuple

import msgspec

BUCKETS = 60
NEVER = 2**62
"""Second of a change that does not come."""


class Span(NamedTuple):
    """One window: its name, its length and the width of a bucket in seconds."""

    name: str
    length: int
    width: int


SPANS = (Span("1m", 60, 1), Span("5m", 300, 5), Span("1h", 3_600, 60), Span("24h", 86_400, 1_440))
WIDTHS = tuple(span.width for span in SPANS)
LEVELS = len(SPANS)
_number = attrgetter("number")


class Sums(msgspec.Struct, array_like=True, gc=False):
    """What adds up: money in micro-USDC, shares bought in raw shares."""

    orders: int = 0
    buys: int = 0
    bought: int = 0
    sold: int = 0
    shares: int = 0

    def include(self, other: Sums) -> None:
        """Add the other's sums to these."""
        self.orders += other.orders
        self.buys += other.buys
        self.bought += other.bought
        self.sold += other.sold
        self.shares += other.shares

    def less(self, other: Sums) -> Sums:
        """Return these sums without the other's."""
        return Sums(
            self.orders - other.orders,
            self.buys - other.buys,
            self.bought - other.bought,
            self.sold - other.sold,
            self.shares - other.shares,
        )


class Bucket(Sums, array_like=True, gc=False):
    """The orders of `width` seconds: sums, the largest one, and the net flow per member."""

    number: int = 0
    largest: int = 0
    members: dict[int, int] = {}

    def absorb(self, other: Bucket) -> None:
        """Merge a narrower bucket into this one."""
        self.include(other)
        self.largest = max(self.largest, other.largest)
        for member, net in other.members.items():
            self.members[member] = self.members.get(member, 0) + net


class Member(msgspec.Struct, array_like=True, gc=False):
    """A market of a wallet, or a wallet in a market: its newest order and its net flow in the longest window."""

    newest: int
    net: int = 0


class Windows(msgspec.Struct, array_like=True, gc=False):
    """
    All windows of one subject, decayed to `clock`.

    `add` and `advance` are the only changes. Use `at` to look at a later time without changing anything.
    """

    clock: int = 0
    due: int = NEVER
    """Second at which the next bucket leaves a window: before it nothing changes without an order."""
    total: Sums = msgspec.field(default_factory=Sums)
    """Everything ever added."""
    expired: list[Sums] = msgspec.field(default_factory=lambda: [Sums() for _ in SPANS])
    """Per window, what of `total` it no longer holds."""
    largest: list[int] = msgspec.field(default_factory=lambda: [0] * LEVELS)
    distinct: list[int] = msgspec.field(default_factory=lambda: [0] * LEVELS)
    """Per window, how many members have an order in it."""
    tiers: list[list[Bucket]] = msgspec.field(default_factory=lambda: [[] for _ in SPANS])
    """Per window, the buckets that no shorter window holds, oldest first."""
    members: dict[int, Member] = {}

    def sums(self, level: int) -> Sums:
        """Return the sums over window `level`, an index into `SPANS`."""
        return self.total.less(self.expired[level])

    def at(self, second: int) -> Windows:
        """Return these windows decayed to `second`: this object where nothing changes, else a copy."""
        if second < self.due:
            return self
        later = msgspec.msgpack.decode(msgspec.msgpack.encode(self), type=Windows)
        later.advance(second)
        return later

    def advance(self, second: int) -> None:
        """Move the clock forward and let the buckets that leave their window go. A clock in the past is ignored."""
        if second <= self.clock:
            return
        self.clock = second
        if second < self.due:
            return
        for level in range(LEVELS):
            self._expire(level, second // WIDTHS[level] - BUCKETS)
        self.due = min(
            ((tier[0].number + BUCKETS) * width for tier, width in zip(self.tiers, WIDTHS, strict=True) if tier),
            default=NEVER,
        )

    def add(self, second: int, *, buy: bool, notional: int, shares: int, member: int | None) -> bool:
        """
        Count an order of time `second`, not after the clock.

        Returns False, and counts nothing, when it is older than the longest window.
        """
        level = self._level(second)
        if level == LEVELS:
            return False
        bucket = self._bucket(level, second // WIDTHS[level])
        for sums in (bucket, self.total, *self.expired[:level]) if level else (bucket, self.total):
            sums.orders += 1
            if buy:
                sums.buys += 1
                sums.bought += notional
                sums.shares += shares
            else:
                sums.sold += notional
        if notional > bucket.largest:  # noqa: PLR1730  # max() takes three times as long
            bucket.largest = notional
        for index in range(level, LEVELS):  # a longer window's largest is never smaller
            if notional <= self.largest[index]:
                break
            self.largest[index] = notional
        if member is not None:
            self._meet(member, level, second, bucket, notional if buy else -notional)
        return True

    def _level(self, second: int) -> int:
        """Return the shortest window that holds `second` now, LEVELS when none does."""
        clock = self.clock
        for level, width in enumerate(WIDTHS):
            if second // width > clock // width - BUCKETS:
                return level
        return LEVELS

    def _bucket(self, level: int, number: int) -> Bucket:
        tier = self.tiers[level]
        if tier and tier[-1].number == number:
            return tier[-1]
        place = bisect_left(tier, number, key=_number)
        if place < len(tier) and tier[place].number == number:
            return tier[place]
        bucket = Bucket(number=number)
        tier.insert(place, bucket)
        self.due = min(self.due, (number + BUCKETS) * WIDTHS[level])
        return bucket

    def _meet(self, key: int, level: int, second: int, bucket: Bucket, net: int) -> None:
        bucket.members[key] = bucket.members.get(key, 0) + net
        member = self.members.get(key)
        if member is None:
            self.members[key] = Member(second, net)
            known = LEVELS
        else:
            member.net += net
            if second <= member.newest:
                return
            known = self._level(member.newest)
            member.newest = second
        for index in range(level, known):
            self.distinct[index] += 1

    def _expire(self, level: int, limit: int) -> None:
        """Take the buckets numbered up to `limit` out of a window, into the next one's."""
        tier = self.tiers[level]
        gone = 0
        largest = 0
        while gone < len(tier) and tier[gone].number <= limit:
            bucket = tier[gone]
            gone += 1
            largest = max(largest, bucket.largest)
            self.expired[level].include(bucket)
            self._part(level, bucket)
            if level + 1 < LEVELS:
                self._pass_on(level + 1, bucket)
        if gone:
            del tier[:gone]
            if largest == self.largest[level]:
                shorter = self.largest[level - 1] if level else 0
                self.largest[level] = max((bucket.largest for bucket in tier), default=0)
                self.largest[level] = max(self.largest[level], shorter)

    def _part(self, level: int, bucket: Bucket) -> None:
        """Take leave of the members whose newest order this bucket held."""
        width = WIDTHS[level]
        for key, net in bucket.members.items():
            member = self.members[key]
            left = member.newest // width == bucket.number
            self.distinct[level] -= left
            if level + 1 == LEVELS:
                member.net -= net
                if left:
                    del self.members[key]

    def _pass_on(self, level: int, bucket: Bucket) -> None:
        """Hand a bucket to the next window, as it is where it is the first of its wider bucket."""
        tier = self.tiers[level]
        number = bucket.number * WIDTHS[level - 1] // WIDTHS[level]
        place = bisect_left(tier, number, key=_number)
        if place < len(tier) and tier[place].number == number:
            tier[place].absorb(bucket)
        else:
            bucket.number = number
            tier.insert(place, bucket)
