"""
Death between any two steps, by design and not by luck: nothing is lost, nothing is published twice, every gap ends.

    first life   take over, live, orders, cut, repair, checkpoints ... dies at the n-th crossing of a step
    second life  takes over what the topics say, repairs, goes on

The second life belongs to another group, so that it need not wait for the broker to notice the first one's end.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from connector.simulator import Config, Fault, Simulator
from tests.support.crashing import EXIT_CODE, STARTING, WORKING
from tests.support.replica import Topics, complete, replica_process, settings, settled, until

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping
    from pathlib import Path

    from connector.local.broker import LocalKafka

pytestmark = pytest.mark.slow
AT_ONCE = 4
"""Lives at a time; each is a process."""


def is_live(found: Topics, wallets: list[str]) -> bool:
    """Return whether the checkpoints say of all these wallets that they are live."""
    checkpoints = [found.coverage.get(wallet) for wallet in wallets]
    return all(checkpoint is not None and checkpoint.standing == "live" for checkpoint in checkpoints)


async def trouble(simulator: Simulator) -> None:
    """Let the market play, with disconnects, broken and repeated frames, and twins without index."""
    simulator.inject(Fault(kind="drop", every=0.7, times=None))
    simulator.inject(Fault(kind="garble", times=None, probability=0.05, seed=1))
    simulator.inject(Fault(kind="duplicate", times=None, probability=0.1, seed=2))
    simulator.inject(Fault(kind="no_indexes", times=None, probability=0.3, seed=3))
    simulator.play()


async def survives(
    kafka: LocalKafka, prefix: str, folder: Path, step: str, count: int, *, twins: float = 0.1, **changes: Any
) -> None:
    """Live, die at a step, live on; then hold the book against the topics."""
    config = Config(market=5, rate=60.0, burst=5, wallets=6, twins=twins, paused=True)
    async with Simulator(config) as simulator:
        values = settings(kafka, prefix, simulator, wallets=",".join(simulator.wallets), settle=0.5, **changes)
        crash = {"crash_at": step, "crash_count": count}
        lives: list[tuple[str, dict[str, Any]]] = [("tests.support.crashing", crash), ("connector", {})]
        if step.partition(":")[0] in STARTING:
            lives.insert(0, ("connector", {}))
        for number, (module, more) in enumerate(lives, 1):
            names = {"replica_name": f"life-{number}", "connector_group": f"life-{number}"}
            async with replica_process(folder, module, **(values | names | more)) as child:
                await begin(kafka, prefix, simulator, child)
                if more:
                    async with asyncio.timeout(90):
                        assert await child.wait() == EXIT_CODE, "it did not get to that step"
                elif number < len(lives):
                    await asyncio.sleep(1.5)
                    child.kill()
                else:
                    await asyncio.sleep(1.0)
                    simulator.pause()
                    simulator.clear_faults()
                    found = await complete(kafka, prefix, simulator.book, simulator.wallets, crashed=True)
                    assert child.returncode is None
                    assert found.orders


async def begin(kafka: LocalKafka, prefix: str, simulator: Simulator, child: Process) -> None:
    """Let the market play as soon as all wallets are live for the first time."""
    if not simulator.stats()["playing"]:
        await settled(
            kafka, prefix, lambda now: is_live(now, simulator.wallets) or child.returncode is not None, seconds=15
        )
        if child.returncode is None:
            await trouble(simulator)  # else nothing is owed yet
    else:
        await until(lambda: simulator.stats()["subscriptions"] or child.returncode is not None)


def places(step: str, counts: tuple[int, ...]) -> list[tuple[str, int]]:
    """Return where to die: all crossings of a step, or without `CRASH_SWEEP` just two of them."""
    if "CRASH_SWEEP" in os.environ:
        return [(f"{step}:{side}", count) for side in ("before", "after") for count in counts]
    return [(f"{step}:before", counts[0]), (f"{step}:after", counts[-1])]


async def deaths(kafka: LocalKafka, prefix: str, folder: Path, steps: Mapping[str, tuple[int, ...]]) -> None:
    """Die at the beginning and at the end of each step, at some crossings of it."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(step: str, count: int) -> None:
        place = folder / f"{step}-{count}"
        place.mkdir()
        async with free:
            try:
                await survives(kafka, f"{prefix}{step.replace(':', '.')}.{count}.", place, step, count)
            except (AssertionError, TimeoutError) as error:
                said = "\n".join(path.read_text() for path in sorted(place.iterdir()))
                raise AssertionError(f"{step} crossing {count}: {error!r}\n{said[-6000:]}") from error

    lives = [one(*place) for step, counts in steps.items() for place in places(step, counts)]
    outcomes = await asyncio.gather(*lives, return_exceptions=True)
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(lives)} deaths did harm", failures)


@pytest.mark.parametrize("component", ["publisher", "ledger", "membership", "repairer", "replica", "router"])
async def test_death_at_work(kafka: LocalKafka, topic_prefix: str, tmp_path: Path, component: str) -> None:
    """Dead amid orders, repairs and checkpoints: the topic has the book, once, and no gap is open."""
    steps = {step: counts for step, counts in WORKING.items() if step.startswith(f"{component}.")}
    await deaths(kafka, topic_prefix, tmp_path, steps)


async def test_death_while_taking_over(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """Killed while it works, dead again while it takes over what it left: as above."""
    await deaths(kafka, topic_prefix, tmp_path, STARTING)


async def test_without_memory_the_same_death_doubles(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """The proof that the tests above can fail: without dedupe, what is delivered again is found double."""
    with pytest.raises(AssertionError, match="double"):
        await survives(kafka, topic_prefix, tmp_path, "publisher._delivered:after", 40, twins=0.0, dedupe="off")
