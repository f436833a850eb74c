"""What the watch-list says becomes watches; what it says amiss becomes a line in the log."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from connector.contract.record import encode
from connector.contract.watch import WatchRecord
from connector.coverage import Coverage, Outcome, Policy
from connector.provider_clock import ProviderClock
from connector.replica.lease import Lease
from connector.replica.repairer import Repairer
from connector.replica.replica import Replica
from connector.replica.shard import Shard
from connector.replica.watchlist import Watchlist

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.contract.coverage import CoverageRecord
    from connector.contract.gap import Cause, GapRecord
    from connector.replica.ledger import Ledger

POLICY = Policy(overlap_ms=0, settle_ms=1_000, poll_ms=4_000, verify_ms=0, give_up_ms=10**9)
ONE, TWO, STATIC = ("0x" + digit * 40 for digit in "123")
NOW = 1_767_556_800_000


class Record(NamedTuple):
    """Of the watch-list."""

    offset: int
    key: bytes | None
    value: bytes | None
    partition: int = 0
    timestamp: int = NOW - 60_000


class Book:
    """Keeps what a ledger would write."""

    def __init__(self) -> None:
        self.reports: list[GapRecord] = []
        self.erased: list[str] = []

    def report(self, reports: Iterable[GapRecord]) -> None:
        """Keep reports."""
        self.reports += reports

    def erase(self, wallet: str) -> None:
        """Keep the wallet."""
        self.erased.append(wallet)


class Setting:
    """A partition with one static wallet, whose list was read and empty; offsets go on by themselves."""

    def __init__(self, *, restored: bool = True) -> None:
        self.coverage = Coverage(POLICY, owner="a")
        self.book = Book()
        self.now = NOW
        self.list = Watchlist(self.coverage, cast("Ledger", self.book), lambda: self.now, self.doubt)
        self.shard = Shard(0, frozenset({STATIC}))
        self.offset = 0
        if restored:
            self.restored()

    def restored(self, *records: Record, checkpoints: dict[str, CoverageRecord] | None = None) -> None:
        """Take the partition over."""
        self.list.restored(self.shard, cast("Any", records), self.offset, checkpoints or {}, "start")

    def doubt(self, wallets: Iterable[str], interval: tuple[int, int], cause: Cause) -> None:
        """Open gaps, as a replica does."""
        self.book.report(self.coverage.doubt(wallets, interval, cause, self.now))

    def record(self, wallet: str, **fields: Any) -> Record:
        """Return the next record, of a wallet to watch."""
        self.offset += 1
        return Record(self.offset - 1, wallet.encode(), encode(WatchRecord(wallet=wallet, **fields)))

    def tombstone(self, wallet: str) -> Record:
        """Return the next record, of the end of a watch."""
        self.offset += 1
        return Record(self.offset - 1, wallet.encode(), None)

    def listed(self, record: Record) -> bool:
        """Take in a record."""
        return self.list.listed(self.shard, cast("Any", record))

    def gap(self, wallet: str) -> tuple[str, int]:
        """Return cause and start of the wallet's gap, in seconds from `NOW`."""
        gap = self.coverage.checkpoint(wallet, self.now).gap
        assert gap is not None
        return gap.cause, (gap.start_ms - NOW) // 1000

    def complete(self, wallet: str) -> CoverageRecord:
        """Return a checkpoint without gap, of 10 s later."""
        self.coverage.live("s", "", [wallet], self.now)
        for _ in range(10):
            self.now += 1000
            while (taken := self.coverage.take(self.now)) is not None:
                self.coverage.passed(taken[0], Outcome(), self.now)
        self.coverage.proven("s", self.now)
        checkpoint = self.coverage.checkpoint(wallet, self.now)
        assert checkpoint.gap is None
        return checkpoint


def test_a_wallet_is_watched_from_its_record_to_its_tombstone() -> None:
    """Added: a gap from now on, to be repaired; removed: the gap ends, the checkpoint is erased."""
    setting = Setting()
    assert setting.listed(setting.record(ONE))
    assert setting.gap(ONE) == ("added", 0)
    assert not setting.listed(setting.record(ONE, label="again"))
    assert setting.listed(setting.tombstone(ONE))
    assert ONE not in setting.coverage
    assert setting.book.erased == [ONE]
    assert [each.state for each in setting.book.reports if each.wallet == ONE] == ["opened", "closed"]
    assert not setting.listed(setting.tombstone(ONE))


def test_since_reaches_back_also_when_it_comes_later() -> None:
    """Only further back: a later `since` takes nothing away."""
    setting = Setting()
    setting.listed(setting.record(ONE, since=NOW // 1000 - 100))
    assert setting.gap(ONE) == ("added", -100)
    setting.listed(setting.record(ONE, since=NOW // 1000 - 50))
    assert setting.gap(ONE) == ("added", -100)
    setting.listed(setting.record(ONE, since=NOW // 1000 - 300))
    assert setting.gap(ONE) == ("added", -300)


class Asked:
    """Who is asked for a wallet's shard before a pass begins; has none."""

    def __init__(self) -> None:
        self.wallets: list[str] = []

    def accepting(self, wallet: str) -> None:
        """Keep the wallet."""
        self.wallets.append(wallet)


@pytest.mark.looptime
async def test_since_that_reaches_back_is_repaired_at_once() -> None:
    """
    The repairer sleeps, and nothing is due that could end its sleep.

        0 complete ── asleep ── 60 s: `since` moved back ── a pass begins at once
    """
    setting, asked, nothing = Setting(), Asked(), cast("Any", None)
    replica = Replica(
        coverage=setting.coverage,
        lease=Lease(10.0, 30.0),
        clock=ProviderClock(asyncio.get_running_loop().time(), NOW),
        static=(),
        partition=lambda _: 0,
        handover_timeout=10.0,
    )
    replica.ledger = cast("Ledger", setting.book)
    replica.shards[0] = setting.shard
    replica.watchlist = setting.list = Watchlist(setting.coverage, replica.ledger, replica.now_ms, replica.doubt)
    replica.repairer = Repairer(
        asked, coverage=setting.coverage, ledger=replica.ledger, rest=nothing, intake=nothing, publisher=nothing,
        topics=nothing, provider="dome", concurrency=1, now_ms=replica.now_ms,
    )  # fmt: skip
    setting.listed(setting.record(ONE, since=NOW // 1000 - 100))
    setting.complete(ONE)
    setting.coverage.unwatch(STATIC, setting.now)
    repairing = asyncio.create_task(replica.repairer.run())
    await asyncio.sleep(60)
    assert asked.wallets == []
    replica.listed(cast("Any", [setting.record(ONE, since=NOW // 1000 - 300)]))
    await asyncio.sleep(0.01)
    assert asked.wallets == [ONE]
    repairing.cancel()


def test_a_static_wallet_outlives_its_record() -> None:
    """The settings say so; the list may add a `since`."""
    setting = Setting()
    assert setting.gap(STATIC) == ("added", 0)
    assert not setting.listed(setting.record(STATIC, since=NOW // 1000 - 9))
    assert setting.gap(STATIC) == ("added", -9)
    assert not setting.listed(setting.tombstone(STATIC))
    assert STATIC in setting.coverage
    assert setting.book.erased == []


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (None, b"{}", "the key should be an address in lower case"),
        (ONE.upper().encode(), b"{}", "the key should be an address in lower case"),
        (b"\xff", b"{}", "the key should be an address in lower case"),
        (TWO.encode(), b"{", "Input data was truncated"),
        (TWO.encode(), b'{"schema":2,"wallet":"x"}', "schema"),
    ],
)
def test_what_cannot_be_read_changes_nothing(key: bytes | None, value: bytes, reason: str) -> None:
    """Anybody may write the list; the record is named, and the next one counts."""
    setting = Setting()
    with capture_logs() as logs:
        assert not setting.listed(Record(0, key, value))
    (line,) = logs
    assert (line["event"], line["offset"]) == ("watchlist.refused", 0)
    assert reason in line["reason"]
    assert setting.shard.wallets == {STATIC}
    assert setting.listed(Record(1, ONE.encode(), encode(WatchRecord(wallet=ONE))))


def test_an_unreadable_record_ends_no_watch() -> None:
    """Its wallet stays as it was."""
    setting = Setting()
    setting.listed(setting.record(ONE))
    setting.listed(Record(7, ONE.encode(), b"?"))
    assert setting.shard.watches(ONE)


def test_a_takeover_goes_on_from_the_checkpoint() -> None:
    """Neither from now, nor from when the wallet was listed, however often it is taken over."""
    before = Setting()
    record = before.record(ONE)
    before.listed(record)
    checkpoint = before.complete(ONE)
    setting = Setting(restored=False)
    setting.offset, setting.now = 1, NOW + 30_000
    setting.restored(record, checkpoints={ONE: checkpoint})
    assert setting.gap(ONE) == ("start", 10)
    assert setting.gap(STATIC) == ("added", 30)


def test_a_takeover_without_checkpoint_goes_on_from_the_listing() -> None:
    """Whoever watched it died before its first checkpoint."""
    setting = Setting(restored=False)
    setting.restored(setting.record(ONE))
    assert setting.gap(ONE) == ("added", -60)


def test_a_wallet_removed_while_nobody_was_there_is_wound_up() -> None:
    """Its gap is reported closed, its checkpoint erased."""
    before = Setting()
    before.listed(before.record(ONE))
    checkpoint = before.coverage.checkpoint(ONE, NOW)
    assert checkpoint.gap is not None
    setting = Setting(restored=False)
    setting.restored(checkpoints={ONE: checkpoint})
    assert ONE not in setting.coverage
    assert setting.book.erased == [ONE]
    assert [(each.gap_id, each.state) for each in setting.book.reports if each.wallet == ONE] == [
        (checkpoint.gap.gap_id, "closed")
    ]


def test_what_was_read_at_the_takeover_counts_once() -> None:
    """The follower reads on from what the group has committed, which may be before."""
    setting = Setting(restored=False)
    setting.record(ONE)
    setting.restored(setting.tombstone(ONE))
    assert not setting.listed(Record(0, ONE.encode(), encode(WatchRecord(wallet=ONE))))
    assert ONE not in setting.coverage


STEPS = st.lists(st.tuples(st.sampled_from([ONE, TWO]), st.booleans()), max_size=12)


@given(STEPS, st.integers(0, 12), st.integers(0, 12))
def test_the_list_is_read_at_the_takeover_and_followed_at_once(
    steps: list[tuple[str, bool]], read: int, early: int
) -> None:
    """
    Records come to the follower before, while and after the list is read; each counts once.

        0 ... read by the take-over ... | only followed
              0 ... early: came before the reading was over
    """
    setting = Setting(restored=False)
    records = [setting.record(wallet) if add else setting.tombstone(wallet) for wallet, add in steps]
    for record in records[:early]:
        assert not setting.listed(record)
    setting.offset = min(read, len(records))
    latest = {record.key: record for record in records[:read]}
    setting.restored(*latest.values())
    for record in records[early:]:
        setting.listed(record)
    expected = {STATIC} | {
        wallet for wallet in (ONE, TWO) if [add for other, add in steps if other == wallet][-1:] == [True]
    }
    assert setting.shard.wallets == expected
    assert {wallet for wallet in (ONE, TWO, STATIC) if wallet in setting.coverage} == expected


def test_a_partition_that_was_lost_keeps_nothing() -> None:
    """What had come early for it is forgotten."""
    setting = Setting(restored=False)
    setting.listed(setting.record(ONE))
    setting.list.forget(0)
    setting.offset = 0
    setting.restored()
    assert setting.shard.wallets == {STATIC}
