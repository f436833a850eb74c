"""The publisher between an owner who changes its mind and a producer that takes its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from connector.contract.topics import COVERAGE, ORDERS
from connector.intake import Outgoing
from connector.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Place(NamedTuple):
    """Where a record went."""

    partition: int
    offset: int


class Producer:
    """Takes everything at once and acknowledges in order, when told to."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self._open: list[tuple[int, asyncio.Future[Place]]] = []

    async def send(self, _topic: str, value: bytes, _key: bytes, *, partition: int, **_: Any) -> asyncio.Future[Place]:
        """Take a record."""
        await asyncio.sleep(0)
        self.sent.append(int(value))
        delivery: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._open.append((partition, delivery))
        return delivery

    def acknowledge(self, most: int) -> None:
        """Acknowledge up to so many records."""
        ready, self._open = self._open[:most], self._open[most:]
        for offset, (partition, delivery) in enumerate(ready):
            delivery.set_result(Place(partition, offset))


class Owner:
    """Owns every partition but those it lost, and is sure of it or not."""

    def __init__(self) -> None:
        self.sure = True
        self.lost: set[int] = set()
        self.acks = 0

    def permitted(self, record: Outgoing) -> bool:
        """Return whether it is sure."""
        return self.sure and record.partition not in self.lost

    async def permit(self, record: Outgoing) -> bool:
        """Wait until it is sure."""
        while not self.sure and record.partition not in self.lost:  # noqa: ASYNC110 - a stand-in
            await asyncio.sleep(0)
        return record.partition not in self.lost

    def acknowledged(self, _partition: int, _offset: int) -> None:
        """Count."""
        self.acks += 1


def order(number: int, partition: int) -> Outgoing:
    """Return an order."""
    return Outgoing(ORDERS, b"w", b"%d" % number, None, partition=partition, event_id=str(number))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 2)),
        st.tuples(st.just("acknowledge"), st.integers(1, 5)),
        st.tuples(st.sampled_from(["doubt", "sure", "turn"]), st.just(0)),
        st.tuples(st.just("lose"), st.integers(0, 2)),
    ),
    max_size=40,
)


async def turns(count: int = 20) -> None:
    """Let everything get on."""
    for _ in range(count):
        await asyncio.sleep(0)


def run(story: Callable[[Publisher, Producer, Owner], Awaitable[None]]) -> None:
    """Play a story in a loop of its own."""

    async def play() -> None:
        producer, owner = Producer(), Owner()
        subject = Publisher(producer, topic_prefix="", limit=1_000, ownership=owner)
        running = asyncio.create_task(subject.run())
        try:
            await story(subject, producer, owner)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


@given(STEPS)
def test_each_order_is_sent_once_in_order_or_withdrawn(steps: list[tuple[str, int]]) -> None:
    """Whatever the owner is sure of: nothing is sent in doubt, nothing that waited is lost or sent twice."""

    async def story(subject: Publisher, producer: Producer, owner: Owner) -> None:
        taken: list[tuple[int, int]] = []
        withdrawn = 0
        for step, argument in steps:
            if step == "publish" and argument not in owner.lost:
                before = len(producer.sent)
                taken.append((len(taken), argument))
                await subject.publish(order(*taken[-1]))
                assert owner.sure or len(producer.sent) == before
            elif step == "acknowledge":
                producer.acknowledge(argument)
            elif step in ("doubt", "sure"):
                owner.sure = step == "sure"
            elif step == "lose":
                owner.lost.add(argument)
                withdrawn += subject.withdraw({argument})
            await turns()
        owner.sure = True
        await turns(200)
        assert len(producer.sent) == len(set(producer.sent))
        for partition in range(3):
            numbers = [number for number, where in taken if where == partition]
            sent = [number for number in producer.sent if number in set(numbers)]
            assert sent == numbers[: len(sent)]
            assert partition in owner.lost or sent == numbers
        producer.acknowledge(1_000)
        await turns()
        assert subject.unacknowledged == 0
        assert owner.acks == len(producer.sent)
        assert len(taken) - len(producer.sent) >= withdrawn

    run(story)


def test_a_barrier_waits_for_what_was_taken_before_it_only() -> None:
    """
    Acknowledgements come in order.

        1  2  barrier  3       acknowledged: 1 .. 2 -> passes, 3 open
    """

    async def story(subject: Publisher, producer: Producer, _owner: Owner) -> None:
        await subject.publish(order(1, 0))
        await subject.publish(order(2, 0))
        passing = asyncio.create_task(subject.barrier())
        await turns()
        await subject.publish(order(3, 0))
        producer.acknowledge(1)
        await turns()
        assert not passing.done()
        producer.acknowledge(1)
        await turns()
        assert passing.done()
        assert subject.unacknowledged == 1

    run(story)


def test_an_order_that_is_in_doubt_keeps_its_place() -> None:
    """What comes after it waits too: a wallet's orders keep their order."""

    async def story(subject: Publisher, producer: Producer, owner: Owner) -> None:
        owner.sure = False
        await subject.publish(order(1, 0))
        owner.sure = True
        await subject.publish(order(2, 0))
        await turns()
        assert producer.sent == [1, 2]

    run(story)


def test_checkpoints_need_no_permission() -> None:
    """The ledger asks for itself."""

    async def story(subject: Publisher, producer: Producer, owner: Owner) -> None:
        owner.sure = False
        await subject.publish(Outgoing(COVERAGE, b"w", b"7", None, partition=0))
        assert producer.sent == [7]

    run(story)
