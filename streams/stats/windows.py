"""
Rolling windows over order times: exact, out-of-order safe, cost per order independent of length.

Times are whole seconds, the resolution of orders. Every window has 60 buckets; bucket number of a
second is `second // width`, and at the time `at` a window holds the 60 buckets that end with the
one of `at`: it reaches back between `length - width` and `length`.

    1m window, width 1 s, at = 100:       buckets 41 .. 100
    5m window, width 5 s, at = 1003:      buckets 141 .. 200 = seconds 705 .. 1004

The widths divide each other, so an order lies in one bucket at a time: that of the shortest window
which still holds it (its tier). A bucket that leaves this window joins the wider one of the next.
In order of time the buckets are tiers[3] + tiers[2] + tiers[1] + tiers[0], and their sums are
cumulative, so that a window's sum is the difference of two buckets, and joining needs no sums.
"""

from __future__ import annotations

from operator import attrgetter

import msgspec

from streams.stats.buckets import BUCKETS, LEVELS, NEVER, SPANS, WIDTHS, Bucket, Sums, find, level_of

_largest = attrgetter("largest")


class Windows(msgspec.Struct, array_like=True, gc=False):
    """
    All windows of one subject, decayed to `clock`; members are what it deals with (its markets).

    `add` and `advance` are the only changes. Use `at` to look at a later time without changing anything.
    """

    clock: int = 0
    due: int = NEVER
    """Second at which the next bucket leaves a window: before it nothing changes without an order."""
    floor: Bucket = msgspec.field(default_factory=Bucket)
    """The sums of what no window holds any more."""
    largest: list[int] = msgspec.field(default_factory=lambda: [0] * LEVELS)
    """Per window, its largest order."""
    distinct: list[int] = msgspec.field(default_factory=lambda: [0] * LEVELS)
    """Per window, how many members have an order in it."""
    tiers: list[list[Bucket]] = msgspec.field(default_factory=lambda: [[] for _ in SPANS])
    """Per window, the buckets that no shorter window holds, oldest first."""
    members: dict[int, int] = {}
    """Member -> second of its newest order, of those in the longest window."""

    def sums(self, level: int) -> Sums:
        """Return the sums over window `level`, an index into `SPANS`."""
        newest, before = self._end(0), self._end(level + 1)
        return Sums(
            newest.orders - before.orders,
            newest.buys - before.buys,
            newest.bought - before.bought,
            newest.sold - before.sold,
            newest.shares - before.shares,
            newest.repeated - before.repeated,
        )

    def lifetime(self) -> Sums:
        """Return the sums of all orders that were ever in a window; not to be changed."""
        return self._end(0)

    def at(self, second: int) -> Windows:
        """Return these windows decayed to `second`: this object where nothing changes, else a copy to look at."""
        if second < self.due:
            return self
        tiers = [list(tier) for tier in self.tiers]
        later = Windows(self.clock, self.due, self.floor, self.largest[:], self.distinct[:], tiers, self.members)
        later.advance(second)
        return later

    def advance(self, second: int) -> bool:
        """
        Move the clock forward and let the buckets that leave their window go; a clock in the past is ignored.

        Returns whether any did. Buckets and members are replaced, not changed: a copy made by `at` shares them.
        """
        if second <= self.clock:
            return False
        self.clock = second
        if second < self.due:
            return False
        due = NEVER
        for level, tier in enumerate(self.tiers):
            if not tier:
                continue
            leaves = (tier[0].number + BUCKETS) * WIDTHS[level]
            if leaves <= second:
                self._expire(level, second // WIDTHS[level] - BUCKETS)
                leaves = (tier[0].number + BUCKETS) * WIDTHS[level] if tier else NEVER
            if leaves < due:  # noqa: PLR1730  # min() takes three times as long
                due = leaves
        self.due = due
        return True

    def add(self, second: int, *, buy: bool, notional: int, shares: int, member: int | None, repeated: int = 0) -> bool:
        """Count an order, not after the clock; False, and nothing counted, if it is older than the longest window."""
        level = level_of(second, self.clock)
        if level == LEVELS:
            return False
        bucket, later = self._place(level, second // WIDTHS[level])
        for sums in (bucket, *later) if later else (bucket,):
            sums.orders += 1
            sums.repeated += repeated
            if buy:
                sums.buys += 1
                sums.bought += notional
                sums.shares += shares
            else:
                sums.sold += notional
        if notional > bucket.largest:  # noqa: PLR1730  # max() takes three times as long
            bucket.largest = notional
        for index in range(level, LEVELS):
            if notional <= self.largest[index]:
                break  # a longer window's largest is never smaller
            self.largest[index] = notional
        if member is not None and self.members.get(member) != second:
            self._meet(member, level, second, bucket)
        return True

    def _end(self, level: int) -> Bucket:
        """Return the last bucket of the tiers from `level` on."""
        tiers = self.tiers
        while level < LEVELS:
            tier = tiers[level]
            if tier:
                return tier[-1]
            level += 1
        return self.floor

    def _place(self, level: int, number: int) -> tuple[Bucket, list[Bucket]]:
        """Return the bucket for an order, made if need be, and all buckets of later times."""
        tier = self.tiers[level]
        place = find(tier, number)
        if place == len(tier) or tier[place].number != number:
            end = tier[place - 1] if place else self._end(level + 1)
            tier.insert(place, Bucket(end.orders, end.buys, end.bought, end.sold, end.shares, end.repeated, number))
            self.due = min(self.due, (number + BUCKETS) * WIDTHS[level])
        later = tier[place + 1 :]
        for shorter in self.tiers[:level]:
            later += shorter
        return tier[place], later

    def _meet(self, member: int, level: int, second: int, bucket: Bucket) -> None:
        """Note that `bucket` has an order with this member."""
        newest = self.members.get(member)
        known = LEVELS
        if newest is not None:
            if second < newest:
                return
            known = level_of(newest, self.clock)
            tier = self.tiers[known]
            tier[find(tier, newest // WIDTHS[known])].fresh -= 1
        self.members[member] = second
        bucket.fresh += 1
        for index in range(level, known):
            self.distinct[index] += 1

    def _expire(self, level: int, limit: int) -> None:
        """Take the buckets numbered up to `limit` out of a window, and into the next one's."""
        tier = self.tiers[level]
        gone = largest = 0
        for bucket in tier:
            if bucket.number > limit:
                break
            gone += 1
            largest = max(largest, bucket.largest)
            self.distinct[level] -= bucket.fresh
            if level + 1 < LEVELS:
                self._pass_on(level + 1, bucket)
            else:
                self._forget(bucket)
        del tier[:gone]
        if largest == self.largest[level]:
            shorter = self.largest[level - 1] if level else 0
            self.largest[level] = max(shorter, max(map(_largest, tier), default=0))

    def _pass_on(self, level: int, bucket: Bucket) -> None:
        """Let the window `level` go on with a bucket that the shorter one gave up."""
        tier = self.tiers[level]
        number = bucket.number * WIDTHS[level - 1] // WIDTHS[level]
        largest, fresh = bucket.largest, bucket.fresh
        if tier and tier[-1].number == number:
            earlier = tier.pop()
            largest = max(largest, earlier.largest)
            fresh += earlier.fresh
        sums = (bucket.orders, bucket.buys, bucket.bought, bucket.sold, bucket.shares, bucket.repeated)
        tier.append(Bucket(*sums, number, largest, fresh))

    def _forget(self, bucket: Bucket) -> None:
        self.floor = bucket
        if bucket.fresh:
            end = (bucket.number + 1) * WIDTHS[-1]
            self.members = {member: newest for member, newest in self.members.items() if newest >= end}
