"""What a flood may cost."""

from __future__ import annotations

import tracemalloc

from streams.notify.batch import Place
from streams.notify.config import Config
from streams.notify.groups import MOST_FIRING, MOST_GROUPS, OTHERS, Groups
from streams.notify.rehearsal import Rehearsal
from streams.notify.routes import Route
from streams.notify.targets import Target
from tests.support.alerts import alert

FLOOD = 10_000
MIB = 1 << 20


def config(**route: object) -> Config:
    """Return one route to one address."""
    target = Target(name="desk/1", receiver="desk", address="json://x")
    return Config(route=Route(receiver="desk", **route), receivers={"desk": (target,)})  # type: ignore[arg-type]


def test_a_flood_about_one_thing_takes_the_room_of_what_is_named() -> None:
    """Five thousand alerts or twenty: the same memory, and every one counted."""
    few, many = (Groups(config()) for _ in range(2))
    tracemalloc.start()
    try:
        sizes = []
        for groups, number in ((few, 20), (many, FLOOD // 2)):
            before = tracemalloc.get_traced_memory()[0]
            for offset in range(number):
                groups.add(alert(str(offset)), Place(0, offset), 0)
            sizes.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert (few.pending, many.pending) == (20, FLOOD // 2)
    remembered_ids = 4_096 * 200
    assert sizes[1] < sizes[0] + remembered_ids


def test_too_many_groups_share_one_and_lose_nothing() -> None:
    """Of ten thousand subjects a thousand have messages of their own, all others one; each alert is in one of them."""
    rehearsal = Rehearsal(config(group_by=("subject",)), groups := Groups(config(group_by=("subject",))))
    given = [(0, alert(str(offset)), Place(offset % 4, offset)) for offset in range(FLOOD)]
    found = [each.notification for each in rehearsal.run(given)]
    assert len(found) == MOST_GROUPS + 1
    (others,) = (each for each in found if each.group == OTHERS)
    assert others.counts.total == FLOOD - MOST_GROUPS
    assert sum(each.counts.total for each in found) == FLOOD
    assert (groups.pending, groups.held()) == (0, {})


def test_of_what_goes_on_a_bounded_number_is_known() -> None:
    """The rest is told once, and not repeated; what ends makes room."""
    groups = Groups(config(group_by=("rule",)))
    for offset in range(MOST_FIRING + 100):
        groups.add(alert(str(offset), rule=f"r{offset % 50}", ends_at=None), Place(0, offset), 0)
    firing = sum(len(group.firing) for group in groups._groups.values())
    assert (firing, groups.pending) == (MOST_FIRING, MOST_FIRING + 100)
    groups.add(alert("end", episode=alert("0").episode, transition="resolved"), Place(0, 10**6), 0)
    assert len(groups._firing) == MOST_FIRING - 1


def test_what_lies_beyond_a_topics_end_was_another_topics() -> None:
    """After a topic was made anew its first alerts are not taken for told ones."""
    before = Groups(config(), {0: 100})
    before.add(alert("old"), Place(0, 99), 0)
    told = before.take("desk/1", 10**9)
    assert told is not None
    before.settle(told.group, 10**9)
    memories = {told.group: before.memory(told.group)}
    for end, pending in ((100, 0), (5, 1)):
        after = Groups(config(), {0: end})
        after.restore({key: memory for key, memory in memories.items() if memory is not None})
        after.add(alert("new"), Place(0, 3), 0)
        assert after.pending == pending


def test_what_another_configuration_left_is_forgotten() -> None:
    """Its groups are not ours, whatever they are called; what they did not tell is read again."""
    before = Groups(config(), {0: 100})
    before.add(alert("old"), Place(0, 99), 0)
    told = before.take("desk/1", 10**9)
    assert told is not None
    memory = before.memory(told.group)
    assert memory is not None
    after = Groups(config(group_by=("rule",)), {0: 100})
    after.restore({told.group: memory})
    assert (len(after), after.changed(), after.memory(told.group)) == (0, {told.group}, None)
    after.add(alert("old"), Place(0, 99), 0)
    assert after.pending == 1
