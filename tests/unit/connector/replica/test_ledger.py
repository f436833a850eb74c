"""What the ledger writes, in which order, and what it does not when wallets go away meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.contract.coverage import CoverageRecord, decode_coverage
from connector.contract.gap import GapRecord, decode_gap
from connector.contract.topics import COVERAGE
from connector.coverage import Coverage, Outcome, Policy
from connector.replica.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from connector.intake import Outgoing
    from connector.publisher import Publisher

POLICY = Policy(overlap_ms=2_000, settle_ms=3_000, poll_ms=4_000, verify_ms=0, give_up_ms=10**9)
WALLETS = ("0x" + "1" * 40, "0x" + "2" * 40)
ENDED = ("closed", "unrecoverable")


class Checkpoint(NamedTuple):
    """A record of `coverage.v1`; None is a tombstone."""

    wallet: str
    value: CoverageRecord | None


class Kafka:
    """Takes so many records, then lets everybody wait."""

    def __init__(self) -> None:
        self.records: list[Checkpoint | GapRecord] = []
        self.room: float = float("inf")
        self.acknowledging = True
        self.barriers = 0

    async def publish_all(self, records: Iterable[Outgoing]) -> None:
        """Keep records, as readers get them."""
        for record in records:
            await self._while_full()
            self.room -= 1
            key = (record.key or b"").decode()
            if record.topic is not COVERAGE:
                self.records.append(decode_gap(record.value or b""))
            else:
                self.records.append(Checkpoint(key, None if record.value is None else decode_coverage(record.value)))

    async def barrier(self) -> None:
        """Wait until what was published is acknowledged."""
        self.barriers += 1
        await self._while_full()
        while not self.acknowledging:  # noqa: ASYNC110 - a stand-in
            await asyncio.sleep(0)

    async def _while_full(self) -> None:
        while not self.room:  # noqa: ASYNC110 - a stand-in
            await asyncio.sleep(0)

    def checkpoint(self, wallet: str) -> CoverageRecord | None:
        """Return the wallet's last checkpoint."""
        of_wallet = [each.value for each in self.records if isinstance(each, Checkpoint) and each.wallet == wallet]
        return of_wallet[-1] if of_wallet else None


class Replica:
    """Two wallets' coverage with its ledger; what a replica does between them."""

    def __init__(self) -> None:
        self.kafka = Kafka()
        self.coverage = Coverage(POLICY, owner="a")
        self.owned = True
        self.waiting: set[str] = set()
        self.ledger = Ledger(
            cast("Publisher", self.kafka), checkpoint=self.checkpoint, may_write=lambda: self.owned, interval=1
        )
        self.now = 1_000_000

    def checkpoint(self, wallet: str) -> CoverageRecord | None:
        """Return what is true now."""
        if wallet not in self.coverage or wallet in self.waiting:
            return None
        return self.coverage.checkpoint(wallet, self.now)

    def watch(self, wallet: str) -> None:
        """Add a wallet."""
        if wallet not in self.coverage:
            self.ledger.report(
                self.coverage.watch(wallet, since_ms=None, checkpoint=None, cause="added", now_ms=self.now)
            )

    def unwatch(self, wallet: str) -> None:
        """Remove it."""
        if wallet in self.coverage:
            self.ledger.report(self.coverage.unwatch(wallet, self.now))
            self.ledger.erase(wallet)

    def live(self, wallet: str) -> None:
        """A socket delivers it."""
        self.coverage.live("s", "sub", [wallet], self.now)
        self.ledger.touch([wallet])

    def lost(self, wallet: str) -> None:
        """It does no more."""
        self.ledger.report(self.coverage.lost("s", [wallet], self.now, "disconnect", self.now))

    def work(self, _wallet: str = "") -> None:
        """REST is asked until every gap that can end has ended."""
        for _ in range(8):
            self.now += 1000
            while (taken := self.coverage.take(self.now)) is not None:
                self.ledger.report(taken[1])
                self.ledger.report(self.coverage.passed(taken[0], Outcome(), self.now))

    async def write(self, room: float = float("inf")) -> None:
        """Write what there is; after so many records it is interrupted."""
        self.kafka.room = room
        writing = asyncio.create_task(self.ledger.write(self.ledger.page()))
        for _ in range(30):
            await asyncio.sleep(0)
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        self.kafka.room = float("inf")


def run(story: Callable[[Replica], Awaitable[None]]) -> None:
    """Tell a story in a loop of its own."""

    async def play() -> None:
        await story(Replica())

    asyncio.run(play())


def check(records: list[Checkpoint | GapRecord]) -> None:
    """Whatever was written when a crash came: a gap that was reported and has not ended is in its checkpoint."""
    open_gap: dict[str, str | None] = {}
    last: dict[str, GapRecord] = {}
    for record in records:
        if isinstance(record, Checkpoint):
            gap = record.value.gap if record.value is not None else None
            open_gap[record.wallet] = None if gap is None else gap.gap_id
        else:
            assert record.gap_id not in last or last[record.gap_id].state not in ENDED or record.state in ENDED
            last[record.gap_id] = record
        for gap_id, report in last.items():
            assert report.state in ENDED or open_gap.get(report.wallet) == gap_id, "nobody would end this gap"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["watch", "unwatch", "live", "lost", "work"]), st.sampled_from(WALLETS)),
        st.tuples(st.just("write"), st.integers(0, 6) | st.just(99)),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(STEPS)
def test_a_crash_at_any_record_leaves_no_gap_that_nobody_ends(steps: list[tuple[str, str | int]]) -> None:
    """Writing is interrupted anywhere and begun anew; in the end the topics say what is true."""

    async def story(replica: Replica) -> None:
        for wallet in WALLETS:
            replica.watch(wallet)
        for step, argument in steps:
            if isinstance(argument, int):
                await replica.write(argument)
            else:
                getattr(replica, step)(argument)
        replica.ledger.touch(WALLETS)
        await replica.write()
        check(replica.kafka.records)
        for wallet in WALLETS:
            assert replica.kafka.checkpoint(wallet) == replica.checkpoint(wallet)

    run(story)


def test_a_gap_is_named_before_it_is_reported_and_ends_before_it_is_forgotten() -> None:
    """
    The order of records, for one wallet.

        checkpoint with gap ── opened ── ... ── closed ── checkpoint without
    """

    async def story(replica: Replica) -> None:
        replica.watch(WALLETS[0])
        await replica.write()
        replica.live(WALLETS[0])
        replica.work()
        await replica.write()
        kinds = ["checkpoint" if isinstance(each, Checkpoint) else each.state for each in replica.kafka.records]
        assert kinds == ["checkpoint", "opened", "closed", "checkpoint"]

    run(story)


def test_a_checkpoint_waits_for_the_orders_before_it() -> None:
    """Nothing is written while an order is not acknowledged; what it says is as of before."""

    async def story(replica: Replica) -> None:
        replica.watch(WALLETS[0])
        replica.live(WALLETS[0])
        replica.work()
        replica.kafka.acknowledging = False
        page = replica.ledger.page()
        writing = asyncio.create_task(replica.ledger.write(page))
        for _ in range(10):
            await asyncio.sleep(0)
        assert (replica.kafka.records, replica.kafka.barriers) == ([], 1)
        before = replica.checkpoint(WALLETS[0])
        replica.now += 5000
        replica.coverage.proven("s", replica.now)
        replica.kafka.acknowledging = True
        await writing
        assert replica.kafka.checkpoint(WALLETS[0]) == before != replica.checkpoint(WALLETS[0])

    run(story)


def test_a_wallet_that_goes_away_while_we_wait_is_not_written() -> None:
    """
    Its new owner has written its checkpoint by then, and ours would claim orders that were withdrawn.

        page made ── waiting for acknowledgements ── partition lost ── acknowledged: the other wallet only
    """

    async def story(replica: Replica) -> None:
        for wallet in WALLETS:
            replica.watch(wallet)
        replica.kafka.acknowledging = False
        writing = asyncio.create_task(replica.ledger.write(replica.ledger.page()))
        await asyncio.sleep(0)
        replica.coverage.release(WALLETS[:1])
        replica.ledger.forget(WALLETS[:1])
        replica.kafka.acknowledging = True
        await writing
        assert {each.wallet for each in replica.kafka.records} == {WALLETS[1]}

    run(story)


def test_nothing_is_written_when_we_are_not_sure_any_more() -> None:
    """The lease ran out while a broker was away: all is kept until it is renewed, or forgotten."""

    async def story(replica: Replica) -> None:
        replica.watch(WALLETS[0])
        replica.kafka.acknowledging = False
        writing = asyncio.create_task(replica.ledger.write(replica.ledger.page()))
        await asyncio.sleep(0)
        replica.owned, replica.kafka.acknowledging = False, True
        await writing
        assert replica.kafka.records == []
        replica.owned = True
        await replica.write()
        assert [type(each) for each in replica.kafka.records] == [Checkpoint, GapRecord]

    run(story)


def test_only_the_end_of_a_watch_erases_a_checkpoint() -> None:
    """
    A wallet that is not ours, or not restored yet, keeps its checkpoint, whoever mentions it.

    The provider may refuse a subscription with wallets that went to another replica meanwhile.
    """

    async def story(replica: Replica) -> None:
        replica.ledger.touch([WALLETS[1]])
        await replica.write()
        assert replica.kafka.records == []
        replica.watch(WALLETS[0])
        replica.unwatch(WALLETS[0])
        await replica.write()
        assert replica.kafka.records[-1] == Checkpoint(WALLETS[0], None)

    run(story)


def test_a_wallet_that_comes_back_at_once_is_not_erased() -> None:
    """Removed and added in a row, while an order of it waits for the lease."""

    async def story(replica: Replica) -> None:
        replica.watch(WALLETS[0])
        await replica.write()
        replica.unwatch(WALLETS[0])
        replica.watch(WALLETS[0])
        replica.waiting.add(WALLETS[0])
        await replica.write()
        replica.waiting.clear()
        await replica.write()
        assert replica.kafka.checkpoint(WALLETS[0]) == replica.checkpoint(WALLETS[0])
        assert Checkpoint(WALLETS[0], None) not in replica.kafka.records
        check(replica.kafka.records)

    run(story)


def test_an_erasure_that_was_interrupted_is_not_repeated_on_a_wallet_that_came_back() -> None:
    """It was added again while its tombstone waited, and is not to be written yet."""

    async def story(replica: Replica) -> None:
        replica.watch(WALLETS[0])
        await replica.write()
        replica.unwatch(WALLETS[0])
        replica.kafka.acknowledging = False
        writing = asyncio.create_task(replica.ledger.write(replica.ledger.page()))
        await asyncio.sleep(0)
        replica.watch(WALLETS[0])
        replica.waiting.add(WALLETS[0])
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        replica.kafka.acknowledging = True
        await replica.write()
        assert Checkpoint(WALLETS[0], None) not in replica.kafka.records
        replica.waiting.clear()
        await replica.write()
        assert replica.kafka.checkpoint(WALLETS[0]) == replica.checkpoint(WALLETS[0])

    run(story)


@pytest.mark.looptime
async def test_checkpoints_are_renewed_now_and_then() -> None:
    """Each wallet once in an interval, without anything happening."""
    replica = Replica()
    for wallet in WALLETS:
        replica.watch(wallet)
    running = asyncio.create_task(replica.ledger.run())
    await asyncio.sleep(1.9)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    written = [each.wallet for each in replica.kafka.records if isinstance(each, Checkpoint)]
    assert sorted(written) == sorted(WALLETS * 2)
