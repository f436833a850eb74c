"""Workers with names of their own: restarts that nobody else notices, and a name that two have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.settings import SHIPPED_RULES
from tests.support.feed import PARTITIONS, feed, mixed_rows
from tests.support.status import StatusClient
from tests.support.streams_run import StreamsRun
from tests.support.topics import prepare

if TYPE_CHECKING:
    from connector.local.broker import LocalKafka

REBALANCES = "walletstream_streams_rebalances_total"
SHARDS = "walletstream_streams_shards"


async def test_a_restart_within_the_session_keeps_the_partitions(kafka: LocalKafka, topic_prefix: str) -> None:
    """
    The other worker is assigned nothing anew, and what came meanwhile is folded after the restart.

        one   -- works -- SIGTERM  starts -- works --
        two   -- works ------------------------------
    """
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=SHIPPED_RULES, settings={"SESSION_TIMEOUT": "60"})
    async with StatusClient() as first, StatusClient() as second:
        one = run.worker("one", settings={"GROUP_INSTANCE_ID": "w-0", "STATUS_ADDRESS": first.address})
        two = run.worker("two", members=2, settings={"GROUP_INSTANCE_ID": "w-1", "STATUS_ADDRESS": second.address})
        async with one, two:
            for status in (first, second):
                await status.until("/readyz", 200)
            before = (await second.metrics()).total(REBALANCES)
            assert await one.term() == 0
            await feed(kafka.bootstrap, run.topics.orders, mixed_rows(300, seed=3), rate=1_000.0, seed=3)
            await one.start(wait=False)
            await first.until("/readyz", 200)
            await run.settled()
            assert await run.wrong_statistics() == []
            assert (await second.metrics()).total(REBALANCES) == before
            assert [(await each.metrics()).total(SHARDS) for each in (first, second)] == [PARTITIONS, PARTITIONS]


async def test_of_two_workers_with_one_name_the_older_one_ends(kafka: LocalKafka, topic_prefix: str) -> None:
    """They do not chase each other out of the group for ever: one says what to do, the other works."""
    await prepare(kafka.bootstrap, topic_prefix, PARTITIONS)
    run = StreamsRun(kafka.bootstrap, prefix=topic_prefix, rules=SHIPPED_RULES, settings={"GROUP_INSTANCE_ID": "w-0"})
    async with StatusClient() as status:
        older = run.worker("older")
        younger = run.worker("younger", members=None, settings={"STATUS_ADDRESS": status.address})
        async with older, younger:
            await status.until("/readyz", 200)
            assert await older.ended() == 1
            assert "GROUP_INSTANCE_ID=w-0: another process joined" in older.log.read_text()
            await feed(kafka.bootstrap, run.topics.orders, mixed_rows(100, seed=3), rate=1_000.0, seed=3)
            await run.settled()
            assert await run.wrong_statistics() == []
            younger.check()
