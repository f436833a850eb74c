"""When groups speak, against a brute force that looks at every millisecond."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from streams.notify.batch import Place
from streams.notify.config import Config
from streams.notify.groups import Groups
from streams.notify.rehearsal import Rehearsal, Rehearsed
from streams.notify.routes import Route, Timing
from streams.notify.targets import Target
from tests.support.alerts import alert, over

if TYPE_CHECKING:
    from streams.records import Alert


def config(timing: Timing, *, by: tuple[str, ...] = ("rule",), **target: object) -> Config:
    """Return one route to one address, which names up to 100 alerts."""
    fields: dict[str, object] = {"most_named": 100, "send_resolved": True} | target
    to = Target(name="desk/1", receiver="desk", address="json://x", **fields)  # type: ignore[arg-type]
    return Config(route=Route(receiver="desk", group_by=by, timing=timing), receivers={"desk": (to,)})


def rehearse(timing: Timing, given: list[tuple[int, Alert]], until: int, **options: object) -> list[Rehearsed]:
    """Return what is told of alerts at some times, up to a time."""
    rehearsal = Rehearsal(config(timing, **options))  # type: ignore[arg-type]
    placed = [(at, each, Place(0, offset)) for offset, (at, each) in enumerate(given)]
    return [*rehearsal.run(placed), *rehearsal.until(until)]


def told(found: list[Rehearsed]) -> list[tuple[int, str, list[str]]]:
    """Return when, whether anew, and of which alerts."""
    return [
        (each.at, each.notification.kind, sorted(named.message for named in each.notification.alerts)) for each in found
    ]


def test_a_group_waits_then_keeps_its_interval() -> None:
    """
    What comes while a group waits is told with it; what comes after that waits for the next tick.

    0    10   30               130               230     530   560
    a    b    told a b         |   c (150)       told c  d     told d: nothing was left, it begins anew
    """
    timing = Timing(30, 100, 10_000)
    given = [(0, alert("a")), (10, alert("b")), (150, alert("c")), (530, alert("d"))]
    assert told(rehearse(timing, given, 1_000)) == [
        (30, "new", ["message a", "message b"]),
        (180, "new", ["message c"]),
        (560, "new", ["message d"]),
    ]


def test_what_goes_on_is_repeated_at_ticks_until_it_is_over() -> None:
    """
    The first tick that is `repeat_interval` after the last notification.

    0   10      110 210 260     310                 360        410
    a   told a               repeat (>= 10 + 250)   a is over  told
    """
    timing = Timing(10, 100, 250)
    given = [(0, alert("a", ends_at=None)), (360, over("a", message="end"))]
    assert told(rehearse(timing, given, 5_000)) == [
        (10, "new", ["message a"]),
        (310, "repeat", ["message a"]),
        (410, "new", ["end"]),
    ]


def test_an_end_nobody_asked_for_ends_the_repetitions() -> None:
    """Without `send_resolved` nothing is told, and nothing goes on."""
    given = [(0, alert("a", ends_at=None)), (30, over("a"))]
    found = rehearse(Timing(10, 100, 250), given, 5_000, send_resolved=False)
    assert told(found) == [(10, "new", ["message a"])]


def test_an_end_goes_where_its_beginning_went() -> None:
    """Even when the values that it was grouped by are gone."""
    begin = alert("a", ends_at=None, values={"order.label": "whale"})
    found = rehearse(Timing(10, 100, 250), [(0, begin), (30, over("a"))], 5_000, by=("order.label",))
    assert [each.notification.group for each in found] == [{"order.label": "whale"}] * 2


class _Brute:
    """A group as Alertmanager's documentation has it, looked at in every millisecond."""

    def __init__(self, now: int, timing: Timing) -> None:
        self.timing = timing
        self.next = now + timing.group_wait_ms
        self.news: list[Alert] = []
        self.firing: set[str] = set()
        self.told_at: int | None = None

    def tick(self, now: int) -> tuple[str, list[str]] | None:
        """Return what is said at a tick."""
        self.next += self.timing.group_interval_ms
        if self.news:
            said = "new", sorted(each.alert_id for each in self.news)
        elif self.firing and self.told_at is not None and now - self.told_at >= self.timing.repeat_interval_ms:
            said = "repeat", sorted(self.firing)
        else:
            return None
        self.news, self.told_at = [], now
        return said


def brute(timing: Timing, given: list[tuple[int, Alert]], until: int) -> list[tuple[int, str, str, list[str]]]:
    """Return time, rule, kind and ids of everything that is said."""
    groups: dict[str, _Brute] = {}
    said: list[tuple[int, str, str, list[str]]] = []
    waiting = list(given)
    for now in range(until + 1):
        while True:
            for rule, group in list(groups.items()):
                while rule in groups and group.next <= now:
                    if (words := group.tick(now)) is not None:
                        said.append((now, rule, *words))
                    elif not group.firing:
                        del groups[rule]
            if not waiting or waiting[0][0] > now:
                break
            each = waiting.pop(0)[1]
            group = groups.setdefault(each.rule, _Brute(now, timing))
            group.news.append(each)
            if each.transition == "resolved":
                group.firing.discard(each.episode)
            elif each.ends_at is None:
                group.firing.add(each.episode)
    return said


class _Drawn(NamedTuple):
    pause: int
    rule: str
    what: str


_alerts = st.lists(
    st.builds(
        _Drawn,
        st.sampled_from((0, 0, 1, 2, 3, 7, 15, 40)),
        st.sampled_from(("r", "s")),
        st.sampled_from(("event", "begin", "end")),
    ),
    max_size=25,
)
_timings = st.builds(Timing, st.integers(0, 9), st.integers(1, 9), st.integers(1, 30))


@given(drawn=_alerts, timing=_timings)
def test_groups_speak_when_brute_force_says(drawn: list[_Drawn], timing: Timing) -> None:
    """The same times, kinds and alerts, whatever comes when."""
    now, given = 0, []
    begun: dict[str, list[int]] = {"r": [], "s": []}
    for number, each in enumerate(drawn):
        now += each.pause
        if each.what == "end" and begun[each.rule]:
            given.append((now, over(str(begun[each.rule].pop()), rule=each.rule)))
            continue
        if each.what == "begin":
            begun[each.rule].append(number)
        ends = {"ends_at": None} if each.what == "begin" else {}
        given.append((now, alert(str(number), rule=each.rule, **ends)))
    until = now + 100
    expected = brute(timing, given, until)
    found = [
        (each.at, each.notification.group["rule"], each.notification.kind, _ids(each))
        for each in rehearse(timing, given, until)
    ]
    assert sorted(found) == sorted(expected)


def _ids(found: Rehearsed) -> list[str]:
    named = found.notification.alerts
    return sorted(each.episode if found.notification.kind == "repeat" else each.alert_id for each in named)


def test_repetitions_and_ids_of_strangers_are_recognised() -> None:
    """An alert_id is told once, whatever is in it."""
    groups = Groups(config(Timing()))
    strange = alert("a", alert_id="no hex at all \U0001f600")
    assert [groups.add(strange, Place(0, offset), 0) for offset in range(2)] == ["queued", "repeated"]
    assert groups.add(strange, Place(1, 0), 0) == "queued", "the other partition has its own memory"
