"""A rolling restart with static members: each replica comes back to its own partitions, the others notice nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from connector.simulator import Config, Simulator
from tests.support.replica import KEY, complete, replica, replica_process, settings, settled, until

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

    from connector.local.broker import LocalKafka
    from tests.support.replica import Topics

PATIENCE_S = 60.0
MEMBERS = ("a", "b")


class Members:
    """Two static members with a key each, in this process."""

    def __init__(self, kafka: LocalKafka, prefix: str, simulator: Simulator) -> None:
        self._kafka, self._prefix, self._simulator = kafka, prefix, simulator
        self._running: dict[str, AsyncExitStack] = {}

    async def start(self, name: str) -> None:
        """Begin to run one."""
        values: Mapping[str, Any] = {
            "replica_name": name,
            "group_instance_id": name,
            "api_key": f"{KEY}-{name}",
            "wallets": ",".join(self._simulator.wallets),
            "session_timeout": PATIENCE_S,
            "rest_share": 0.5,
        }
        self._running[name] = AsyncExitStack()
        await self._running[name].enter_async_context(replica(self._kafka, self._prefix, self._simulator, **values))

    async def stop(self, name: str) -> None:
        """Stop one in good form."""
        await self._running.pop(name).aclose()

    async def stop_all(self) -> None:
        """Stop those that run."""
        await asyncio.gather(*map(self.stop, list(self._running)))

    async def owners(self) -> dict[str, str]:
        """Wait until every wallet is live with one of the two, and both have some; return who owns which."""
        found = await settled(self._kafka, self._prefix, self._shared, seconds=PATIENCE_S)
        assert self._shared(found)
        return _owners(found)

    def _shared(self, found: Topics) -> bool:
        owners = _owners(found)
        return len(owners) == len(self._simulator.wallets) and set(owners.values()) == set(MEMBERS)


def _owners(found: Topics) -> dict[str, str]:
    return {each.wallet: each.owner for each in found.checkpoints if each.standing == "live"}


def _count(logs: list[MutableMapping[str, Any]], event: str) -> int:
    return sum(line["event"] == event for line in logs)


async def _restart(members: Members, name: str, simulator: Simulator, logs: list[MutableMapping[str, Any]]) -> None:
    """Restart one, with orders in between, and wait until it knows its partitions again."""
    executed, restored = len(simulator.book.orders), _count(logs, "partitions.restored")
    await members.stop(name)
    await until(lambda: len(simulator.book.orders) > executed + 20)
    await members.start(name)
    await until(lambda: _count(logs, "partitions.restored") > restored, seconds=PATIENCE_S)


async def test_a_rolling_restart_moves_no_wallets(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    Each restarts while orders flow: it has its own wallets again, and what was executed meanwhile is fetched.

        a   works ... stops    starts, the same wallets ..................................
        b   works .......... gives nothing up ........... stops    starts, the same wallets
    """
    with capture_logs() as logs:
        async with Simulator(Config(market=8, rate=40.0, wallets=16, paused=True)) as simulator:
            members = Members(kafka, topic_prefix, simulator)
            try:
                await asyncio.gather(*map(members.start, MEMBERS))
                before = await members.owners()
                revoked = _count(logs, "group.revoked")
                simulator.play()
                for name in MEMBERS:  # one of them leads the group
                    await _restart(members, name, simulator, logs)
                    assert await members.owners() == before
                simulator.pause()
                await simulator.settled()
                await complete(
                    kafka, topic_prefix, simulator.book, simulator.wallets, cause="start", seconds=PATIENCE_S
                )
                assert _count(logs, "group.revoked") == revoked
            finally:
                await members.stop_all()


@pytest.mark.slow
async def test_two_of_one_name_do_not_take_turns(kafka: LocalKafka, topic_prefix: str, tmp_path: Path) -> None:
    """They would take the partitions from each other for ever; one ends, and says which setting to change."""
    async with Simulator(Config(market=8, wallets=4, paused=True)) as simulator, AsyncExitStack() as stack:
        changes = {"wallets": ",".join(simulator.wallets), "group_instance_id": "same", "rest_share": 0.5}
        values = [settings(kafka, topic_prefix, simulator, replica_name=name, **changes) for name in MEMBERS]
        processes = [await stack.enter_async_context(replica_process(tmp_path, **each)) for each in values]
        waiting = {asyncio.create_task(process.wait()) for process in processes}
        ended, others = await asyncio.wait(waiting, timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    assert [task.result() for task in ended] == [2]
    assert "a GROUP_INSTANCE_ID of its own" in "".join((tmp_path / f"{name}.log").read_text() for name in MEMBERS)
