"""The memory against a generated world: transactions with twins, sockets, REST pages, restarts."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from connector.dedupe import Channel, Memory
from connector.fills import Verdict

NOW = 1_767_556_300_000
CHANNELS: tuple[Channel, ...] = (("primary-0", 1, "sub_a"), ("primary-0", 1, "sub_b"), ("mirror-0", 1, "sub_c"))


class Fill(NamedTuple):
    """A fill that truly happened."""

    content: str
    log_index: int


class Frame(NamedTuple):
    """A delivery by a socket, with or without its index; any fill may come any number of times."""

    fill: Fill
    channel: Channel
    indexed: bool


class Row(NamedTuple):
    """A row of a REST page."""

    fill: Fill
    indexed: bool


Page = list[Row]
RESTART = "restart"
Step = Frame | Page | str


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Fill], list[Step], list[Page]]:
    """Return the fills that happened, what happens to the connector, and a last, full pass over REST."""
    twins = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    book = [
        Fill(f"{content:032x}", 10 * content + twin) for content, count in enumerate(twins) for twin in range(count)
    ]
    fills = st.sampled_from(book)
    rows = st.lists(fills, unique=True, max_size=6).flatmap(
        lambda chosen: st.tuples(*(st.builds(Row, st.just(fill), st.booleans()) for fill in chosen)).map(list)
    )
    frames = st.builds(Frame, fills, st.sampled_from(CHANNELS), st.booleans())
    steps = draw(st.lists(frames | rows | st.just(RESTART), max_size=25))
    return book, steps, draw(full_pass(book))


@st.composite
def full_pass(draw: st.DrawFn, book: list[Fill]) -> list[Page]:
    """
    Return pages that list every fill.

    With indexes they are cut anywhere, and repeat up to two rows over the border. Without, the rows of one second
    stand in one page, as the pass sees to.
    """
    listing = draw(st.permutations(book))
    if not draw(st.booleans()):
        return [[Row(fill, indexed=False) for fill in listing]]
    size, overlap = draw(st.integers(1, 4)), draw(st.integers(0, 2))
    return [
        [Row(fill, indexed=True) for fill in listing[max(start - overlap, 0) : start + size]]
        for start in range(0, len(listing), size)
    ]


class Connector:
    """A connector whose records reach the topic at once; `restart` forgets all but the topic."""

    def __init__(self) -> None:
        self.topic: list[tuple[str, int | None]] = []
        self.restart()

    def restart(self) -> None:
        """Rebuild the memory from the topic, in which nothing may be twice."""
        self.memory = Memory(100, 0)
        for event_id, log_index in self.topic:
            assert self.memory.absorb(event_id, log_index, NOW)

    def receive(self, frame: Frame) -> None:
        """Publish a frame if it is new."""
        log_index = frame.fill.log_index if frame.indexed else None
        decision = self.memory.decide(frame.fill.content, frame.channel, log_index, NOW)
        if decision.verdict is Verdict.NEW:
            self.topic.append((f"{frame.fill.content}-{decision.occurrence}", log_index))

    def reconcile(self, page: Page) -> None:
        """Publish what is new in a page."""
        for content in dict.fromkeys(row.fill.content for row in page):
            indexes = [row.fill.log_index if row.indexed else None for row in page if row.fill.content == content]
            result = self.memory.reconcile(content, indexes, NOW)
            assert result.known + len(result.fresh) == len(indexes)
            self.topic += [(f"{content}-{occurrence}", indexes[position]) for position, occurrence in result.fresh]


def ids(fills: set[Fill], content: str) -> list[str]:
    """Return the event ids that these fills of a content deserve."""
    return [f"{content}-{number}" for number in range(sum(fill.content == content for fill in fills))]


@given(worlds())
def test_each_fill_is_published_once(world: tuple[list[Fill], list[Step], list[Page]]) -> None:
    """
    Never more than was seen to happen, and after a full pass over REST exactly what happened.

    The oracle is the book: per content, as many ids as fills, numbered without holes, each once.
    """
    book, steps, last_pass = world
    connector, seen = Connector(), set[Fill]()
    for step in [*steps, *last_pass]:
        if isinstance(step, Frame):
            seen.add(step.fill)
            connector.receive(step)
        elif isinstance(step, str):
            connector.restart()
        else:
            seen |= {row.fill for row in step}
            connector.reconcile(step)
        for content in {fill.content for fill in book}:
            published = [event_id for event_id, _ in connector.topic if event_id.startswith(content)]
            assert published == ids(seen, content)[: len(published)]
    for content in {fill.content for fill in book}:
        assert sum(event_id.startswith(content) for event_id, _ in connector.topic) == len(ids(set(book), content))


@given(worlds())
def test_a_second_pass_finds_nothing(world: tuple[list[Fill], list[Step], list[Page]]) -> None:
    """That is how the end of a repair is told, whatever the sockets do meanwhile."""
    _, steps, last_pass = world
    connector = Connector()
    for page in last_pass:
        connector.reconcile(page)
    before = list(connector.topic)
    for step in steps:
        if isinstance(step, Frame):
            connector.receive(step)
    for page in last_pass:
        connector.reconcile(page)
    assert connector.topic == before
