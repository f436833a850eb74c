"""One run: calm, strikes, repair, and the verdict."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from connector.contract.topics import COVERAGE, GAPS, ORDERS, ORDERS_DEAD
from connector.kafka.reader import read_all
from tests.chaos import evidence
from tests.chaos.evidence import Evidence
from tests.chaos.journal import now_ms
from tests.chaos.schedule import schedule
from tests.chaos.settling import unsettled
from tests.chaos.statistics import wrong_statistics
from tests.chaos.strikes import Striker
from tests.chaos.verdict import judge
from tests.chaos.world import world

if TYPE_CHECKING:
    from connector.contract.gap import GapRecord
    from tests.chaos.options import Options
    from tests.chaos.verdict import Verdict
    from tests.chaos.world import World
    from tests.support.progress import Say


_LIVE_S = 60.0
_POLL_S = 1.0
_READ_S = 120.0
_BEYOND_MS = 1_000


async def run(options: Options, say: Say) -> tuple[Verdict, Evidence]:
    """
    Do one run.

    Raises:
        LocalError, TimeoutError: the world did not come up.
    """
    strikes = schedule(
        options.faults, seed=options.seed, replicas=options.replicas, mean_s=options.mean_s, kinds=options.kinds
    )
    async with world(options) as made:
        say(f"Kafka, simulator and {options.replicas} replicas run; logs are in {made.folder}")
        await begin(made)
        say(f"all wallets are live; {len(strikes)} faults in about {strikes[-1].at if strikes else 0:.0f} s")
        striker = Striker(made)
        await asyncio.sleep(options.warm_up_s)
        await striker.run(strikes)
        await made.heal()
        made.simulator.pause()
        await made.simulator.settled()
        say(f"{len(made.simulator.book.orders)} orders executed; waiting for repair")
        left = await repaired(made)
        say(f"{len(left)} wallets are not settled; reading the topics")
        gaps = await _gaps(made)  # before the last handovers of all
        # All at once: one after the other they would take each other's wallets over, with new gaps.
        codes = await asyncio.gather(*(replica.term() for replica in made.replicas))
        for replica, code in zip(made.replicas, codes, strict=True):
            if code != 0:
                made.journal.note("exit", replica=replica.name, detail=f"code {code} at the end")
        found = await evidence_of(made, striker.struck, gaps)
        (made.folder / "evidence.json").write_bytes(msgspec.json.encode(found))
    return judge(found, unsettled=left), found


async def begin(made: World) -> None:
    """Fill the watch-list, wait until everything is live, and let the market begin."""
    await made.watch_list.add(made.candidates[: made.options.listed])
    for wallet in made.static:
        made.journal.watched(wallet, added_ms=now_ms())
    async with asyncio.timeout(_LIVE_S):
        while not _all_live(await _coverage(made), made.journal.on_list):  # noqa: ASYNC110 - a topic has no event
            await asyncio.sleep(_POLL_S)
    for watch in made.journal.watches:
        watch.live_ms = now_ms()
    made.simulator.play()


def _all_live(coverage: list[evidence.Coverage], wallets: list[str]) -> bool:
    latest = {each.record.wallet: each.record for each in coverage}
    return all(wallet in latest and latest[wallet].standing == "live" for wallet in wallets)


async def _coverage(made: World) -> list[evidence.Coverage]:
    return evidence.coverage(await read_all(made.kafka.bootstrap, COVERAGE.name))


async def repaired(made: World) -> list[str]:
    """Wait until every wallet is settled, or patience ends; return what is not."""
    beyond_ms = now_ms() + _BEYOND_MS
    loop = asyncio.get_running_loop()
    deadline = loop.time() + made.options.patience_s
    while left := unsettled(await _coverage(made), made.journal.on_list, beyond_ms=beyond_ms):
        if loop.time() > deadline:
            break
        await asyncio.sleep(_POLL_S)
    return left


async def _gaps(made: World) -> list[GapRecord]:
    return evidence.gaps(await read_all(made.kafka.bootstrap, GAPS.name))


async def evidence_of(made: World, struck: dict[str, int], gaps: list[GapRecord] | None = None) -> Evidence:
    """Read the topics, check the statistics, and put all that is known together."""
    bootstrap = made.kafka.bootstrap
    async with asyncio.timeout(_READ_S):
        orders, covered, letters = [await read_all(bootstrap, spec.name) for spec in (ORDERS, COVERAGE, ORDERS_DEAD)]
    wrong = await wrong_statistics(made) if made.options.streams else []
    book = made.simulator.book
    return Evidence(
        orders=book.orders,
        deliveries=book.deliveries,
        published=evidence.published(orders),
        coverage=evidence.coverage(covered),
        gaps=await _gaps(made) if gaps is None else gaps,
        dead=evidence.dead(letters),
        watches=made.journal.watches,
        events=made.journal.events,
        struck=made.simulator.stats()["faults"] | struck,
        publishers=made.journal.publishers,
        statistics=wrong,
    )
