"""What survives a crash between any two steps: every alert is told, and what is told again has the same key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.notify.batch import Place
from streams.notify.config import Config
from streams.notify.groups import Groups
from streams.notify.records import GroupMemory, decode, encode
from streams.notify.routes import Route, Timing
from streams.notify.targets import Target
from tests.support.alerts import alert

if TYPE_CHECKING:
    from streams.notify.records import Notification
    from streams.records import Alert

PARTITIONS = (0, 1)
TARGETS = ("fast/1", "slow/2")


def config() -> Config:
    """Return two receivers, both of which are told of every alert, by rule."""
    receivers: dict[str, tuple[Target, ...]] = {
        name.partition("/")[0]: (
            Target(name=name, receiver=name.partition("/")[0], address="json://x", most_named=1_000),
        )
        for name in TARGETS
    }
    fast = Route(receiver="fast", group_by=("rule",), timing=Timing(2, 3, 50), path="0.1", go_on=True)
    slow = Route(receiver="slow", timing=Timing(5, 7, 50), path="0.2")
    return Config(route=Route(receiver="fast", routes=(fast, slow)), receivers=receivers)


class World:
    """A topic, what is committed and remembered of it, and a notifier that may die."""

    def __init__(self) -> None:
        self.log: dict[int, list[Alert]] = {partition: [] for partition in PARTITIONS}
        self.committed = dict.fromkeys(PARTITIONS, 0)
        self.memories: dict[str, bytes] = {}
        self.received: dict[str, dict[str, Notification]] = {target: {} for target in TARGETS}
        self.now = 0
        self.crash()

    def crash(self) -> None:
        """Begin anew from what is outside the process."""
        self.groups = Groups(config(), {partition: len(alerts) for partition, alerts in self.log.items()})
        self.groups.restore({key: decode(GroupMemory, value) for key, value in self.memories.items()})
        self.position = dict(self.committed)
        self.under_way: dict[str, str] = {}

    def publish(self, partition: int, rule: str) -> None:
        """Have the topic one more alert."""
        number = sum(map(len, self.log.values()))
        self.log[partition].append(alert(str(number), rule=rule))

    def read(self, partition: int) -> None:
        """Take in the next alert."""
        position = self.position[partition]
        if position < len(self.log[partition]):
            self.groups.add(self.log[partition][position], Place(partition, position), self.now)
            self.position[partition] += 1

    def send(self, target: str, step: int, wait: int) -> None:
        """
        Put what is due after a while on record, from step 1 on send it, from step 2 on take note of that.

        After an earlier step the process dies.
        """
        self.now += wait
        told = self.groups.take(target, self.now)
        if told is None:
            return
        self._write({told.group})
        if step:
            known = self.received[target].setdefault(told.notification.key, told.notification)
            assert known == told.notification, "one key is one notification"
        if step > 1:
            self.groups.settle(told.group, self.now)
        else:
            self.crash()

    def remember(self) -> None:
        """Write what changed, and commit."""
        held = self.groups.held()
        settled = {partition: held.get(partition, position) for partition, position in self.position.items()}
        self._write(self.groups.changed())
        self.committed = {each: max(settled[each], self.committed[each]) for each in PARTITIONS}
        self.groups.forget(self.committed, self.now)

    def drain(self) -> None:
        """Let everything come to its end."""
        for partition in PARTITIONS:
            for _ in self.log[partition]:
                self.read(partition)
        for _ in range(200):
            self.now += 10
            for target in TARGETS:
                self.send(target, 2, 0)
            self.remember()

    def _write(self, keys: set[str]) -> None:
        for key in keys:
            memory = self.groups.memory(key)
            if memory is None:
                self.memories.pop(key, None)
            else:
                self.memories[key] = encode(memory)


_steps = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(PARTITIONS), st.sampled_from("rs")),
    st.tuples(st.just("read"), st.sampled_from(PARTITIONS)),
    st.tuples(st.just("send"), st.sampled_from(TARGETS), st.sampled_from((0, 1, 2, 2)), st.sampled_from((0, 3, 6))),
    st.tuples(st.just("remember")),
    st.tuples(st.just("wait"), st.integers(1, 9)),
    st.tuples(st.just("crash")),
)


@settings(max_examples=300)
@given(steps=st.lists(_steps, max_size=60))
def test_every_alert_is_told_and_under_one_key_only(steps: list[tuple[str, ...]]) -> None:
    """Whatever dies when: both receivers hear of each alert, of none under two keys; all is committed at the end."""
    world = World()
    for name, *arguments in steps:
        if name == "wait":
            world.now += int(arguments[0])
        else:
            getattr(world, name)(*arguments)
    world.drain()
    expected = sorted(each.alert_id for alerts in world.log.values() for each in alerts)
    for target in TARGETS:
        told = [each.alert_id for sent in world.received[target].values() for each in sent.alerts]
        assert sorted(told) == expected
    assert world.committed == {partition: len(alerts) for partition, alerts in world.log.items()}
    assert (world.memories, len(world.groups), world.groups.pending) == ({}, 0, 0)
