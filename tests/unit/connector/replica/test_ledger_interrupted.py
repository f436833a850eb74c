"""A page whose write is interrupted, anywhere: the next one writes all of it, from the beginning."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from connector.contract.coverage import decode_coverage
from connector.contract.gap import decode_gap
from connector.contract.topics import COVERAGE
from connector.coverage import Coverage, Policy
from connector.replica.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from connector.contract.coverage import CoverageRecord
    from connector.intake import Outgoing
    from connector.publisher import Publisher

pytestmark = pytest.mark.looptime
POLICY = Policy(overlap_ms=0, settle_ms=3_000, poll_ms=4_000, verify_ms=0, give_up_ms=10**9)
STAYS, GOES = ("0x" + digit * 40 for digit in "12")
NOW = 1_000_000
Written = tuple[str, str]
"""Wallet, and "checkpoint", "tombstone" or the state of its gap."""
FIRST: list[Written] = [(STAYS, "checkpoint"), (GOES, "checkpoint"), (STAYS, "opened"), (GOES, "opened")]
SECOND: list[Written] = [(GOES, "closed"), (GOES, "tombstone"), (STAYS, "checkpoint"), (STAYS, "filling")]


class Kafka:
    """Takes so many records and barriers, then nothing until it is told to go on."""

    def __init__(self) -> None:
        self.records: list[Written] = []
        self.room = asyncio.Event()
        self.room.set()
        self.steps: int | None = None

    async def publish_all(self, records: Iterable[Outgoing]) -> None:
        """Keep what readers make of them."""
        for record in records:
            await self.barrier()
            wallet = (record.key or b"").decode()
            if record.topic is not COVERAGE:
                self.records.append((wallet, decode_gap(record.value or b"").state))
            elif record.value is None:
                self.records.append((wallet, "tombstone"))
            else:
                assert decode_coverage(record.value).wallet == wallet
                self.records.append((wallet, "checkpoint"))

    async def barrier(self) -> None:
        """Count a step."""
        if self.steps == 0:
            self.room.clear()
        elif self.steps is not None:
            self.steps -= 1
        await self.room.wait()

    def go_on(self) -> None:
        """Take everything."""
        self.steps = None
        self.room.set()


class Setting:
    """Two wallets, of which one goes and the other's repair begins: one page to write of each moment."""

    def __init__(self) -> None:
        self.kafka = Kafka()
        self.coverage = Coverage(POLICY, owner="a")
        self.ledger = Ledger(
            cast("Publisher", self.kafka), checkpoint=self.checkpoint, may_write=lambda: True, interval=1_000
        )
        for wallet in (STAYS, GOES):
            self.ledger.report(self.coverage.watch(wallet, since_ms=None, checkpoint=None, cause="added", now_ms=NOW))

    def checkpoint(self, wallet: str) -> CoverageRecord | None:
        """Return what is true."""
        return self.coverage.checkpoint(wallet, NOW) if wallet in self.coverage else None

    def change(self) -> None:
        """Remove one wallet; ask REST for the other."""
        self.ledger.report(self.coverage.unwatch(GOES, NOW))
        self.ledger.erase(GOES)
        taken = self.coverage.take(NOW)
        assert taken is not None
        self.ledger.report(taken[1])

    async def write(self) -> None:
        """Write what there is."""
        await self.ledger.write(self.ledger.page())

    async def interrupted(self, how: str, after: Callable[[], Awaitable[None]] | None = None) -> None:
        """Write what there is, and be stopped."""
        page = self.ledger.page()
        if how == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await self.ledger.write(page, after=after)
            return
        writing = asyncio.create_task(self.ledger.write(page, after=after))
        await asyncio.sleep(1)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing


@pytest.mark.parametrize("how", ["cancel", "timeout"])
@pytest.mark.parametrize("steps", range(8))
async def test_what_was_interrupted_is_written_again_from_the_beginning(how: str, steps: int) -> None:
    """
    Reports, checkpoints and tombstones, after any number of records and barriers, without anybody touching a wallet.

        steps   0 barrier   1 closed   2 barrier   3 tombstone   4 checkpoint   5 barrier   6 filling   7 barrier
    """
    setting = Setting()
    await setting.write()
    assert setting.kafka.records == FIRST
    setting.change()
    setting.kafka.steps = steps
    await setting.interrupted(how)
    partly = setting.kafka.records[len(FIRST) :]
    assert partly == SECOND[: len(partly)]
    assert len(partly) == [0, 0, 1, 1, 2, 3, 3, 4][steps]
    setting.kafka.go_on()
    del setting.kafka.records[:]
    await setting.write()
    assert setting.kafka.records == SECOND
    await setting.write()
    assert setting.kafka.records == SECOND, "once it is written it is not dirty any more"


@pytest.mark.parametrize("how", ["cancel", "timeout"])
@pytest.mark.parametrize("where", ["after", "turn"])
async def test_what_was_interrupted_before_its_turn_is_written_too(how: str, where: str) -> None:
    """It waited for what comes before it: decisions that are under way, or another page that is stuck itself."""
    setting = Setting()
    setting.kafka.steps = 0
    stuck = asyncio.create_task(setting.write() if where == "turn" else asyncio.sleep(0))
    await asyncio.sleep(0.1)
    if where == "turn":
        setting.change()
    await setting.interrupted(how, after=asyncio.Event().wait if where == "after" else None)  # type: ignore[arg-type]
    assert setting.kafka.records == []
    setting.kafka.go_on()
    await stuck
    await setting.write()
    assert setting.kafka.records == (FIRST if where == "after" else FIRST + SECOND)


async def test_a_report_that_was_interrupted_comes_before_those_that_were_taken_meanwhile() -> None:
    """A gap's reports keep their order: `filling`, which was taken while `opened` was being written, after it."""
    setting = Setting()
    setting.kafka.steps = 0
    interrupted = asyncio.create_task(setting.interrupted("cancel"))
    await asyncio.sleep(0.5)
    taken = setting.coverage.take(NOW)
    assert taken is not None
    setting.ledger.report(taken[1])
    await interrupted
    setting.kafka.go_on()
    await setting.write()
    states = [state for wallet, state in setting.kafka.records if wallet == taken[0].wallet]
    assert states == ["checkpoint", "opened", "filling"]
