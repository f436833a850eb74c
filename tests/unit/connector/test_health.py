"""What probes are told: by hand, by property, and by the real publisher and feed in virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.topics import ORDERS
from connector.health import Line, Part, Standing, stuck, unready
from connector.intake import Outgoing
from connector.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Sequence

LIVE = Line("primary-0", connected=True, delivers=True)
DOWN = Line("primary-1", connected=False, delivers=False)
MUTE = Line("mirror-0", connected=True, delivers=False)
PARTS = st.builds(
    Part,
    name=st.text("abc", min_size=1, max_size=3),
    moved_at=st.none() | st.floats(0, 1_000),
    patience=st.floats(0, 1_000),
)
LINES = st.lists(st.builds(Line, socket=st.sampled_from("xyz"), connected=st.booleans(), delivers=st.booleans()))


def running(sides: Sequence[Sequence[Line]] = ((LIVE,),), **changes: Any) -> Standing:
    """Return a replica at work, but for these changes."""
    values: dict[str, Any] = {"stage": "running", "member": True, "sure": True, "owned": 3, "sides": sides}
    return Standing(**(values | changes))


def test_a_replica_at_work_is_ready() -> None:
    """Also one for which there is nothing to do: no wallet in its partitions, or no partition."""
    assert not unready(running())
    assert not unready(running(sides=()))
    assert not unready(running(sides=((), ())))
    assert not unready(running(sides=(), owned=0, sure=False))


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing(stage="starting"), "starting"),
        (Standing(stage="stopping"), "stopping"),
        (running(member=False), "not a member of the consumer group, or it is sharing out the partitions"),
        (running(sure=False), "Kafka has not confirmed lately that our partitions are ours"),
        (running(restoring=range(7)), "restoring partitions 0, 1, 2, 3, 4, 2 more"),
        (running(sides=((LIVE, DOWN),)), "primary-1 is not connected"),
        (running(sides=((LIVE, DOWN), (MUTE,))), "primary-1 is not connected, mirror-0 has no confirmed subscription"),
    ],
)
def test_why_it_is_not_ready(standing: Standing, reason: str) -> None:
    """Operators read what is missing."""
    assert unready(standing) == reason


@given(st.lists(LINES, max_size=3))
def test_one_complete_side_is_enough(sides: list[list[Line]]) -> None:
    """Every side delivers every wallet, so a replica is ready unless each has a socket that does not."""
    needed = [side for side in sides if side]
    complete = any(all(line.delivers for line in side) for side in needed)
    assert (not unready(running(sides=sides))) == (complete or not needed)


@given(st.lists(PARTS), st.floats(0, 2_000))
def test_what_moves_is_alive(parts: list[Part], now: float) -> None:
    """Only what has something to do, and did not move for longer than its limits explain, is stuck; each is named."""
    late = [part for part in parts if part.moved_at is not None and now - part.moved_at > part.patience]
    said = stuck(parts, now)
    assert bool(said) == bool(late)
    assert all(part.name in said for part in late)


class _Kafka:
    """Takes everything and acknowledges when told to."""

    def __init__(self) -> None:
        self.open: list[asyncio.Future[Any]] = []

    async def send(self, *_: Any, **__: Any) -> asyncio.Future[Any]:
        """Take a record."""
        self.open.append(asyncio.get_running_loop().create_future())
        return self.open[-1]


class _Owner:
    """Owns everything."""

    def permitted(self, _record: Outgoing) -> bool:
        """Return that it may be sent."""
        return True

    async def permit(self, _record: Outgoing) -> bool:
        """Return that it may be sent."""
        return True

    def acknowledged(self, _partition: int, _offset: int) -> None:
        """Take note."""


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_publisher_is_stuck_only_while_kafka_takes_nothing() -> None:
    """
    An idle one is not, nor one whose acknowledgements are slow; one that gets none is, when its patience is over.

        0 s         idle            600 s   one ack a minute   900 s   no ack        1,020 s
        |-----------------------------|---------------------------|---------------------|
                   moves                        moves                   waits ...  stuck
    """
    kafka, clock = _Kafka(), asyncio.get_running_loop().time
    publisher = Publisher(cast("Any", kafka), topic_prefix="", limit=100, ownership=_Owner())
    publishing = asyncio.create_task(publisher.run())

    def wrong() -> str:
        return stuck([Part("the publisher", publisher.moved_at, 120.0)], clock())

    await asyncio.sleep(600)
    assert not wrong()
    for _ in range(7):
        await publisher.publish(Outgoing(ORDERS, b"w", b"1", None, partition=0))
    for waiting in kafka.open[:5]:
        await asyncio.sleep(60)
        assert not wrong()
        waiting.set_result(type("Place", (), {"partition": 0, "offset": 0}))
    await asyncio.sleep(110)
    assert not wrong(), "within its patience"
    await asyncio.sleep(25)
    assert wrong().startswith("the publisher has not moved for 1")
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
