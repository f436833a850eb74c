"""How reading of the topics goes, as state. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.board.model import TOPICS
from streams.board.rows import TopicRow

if TYPE_CHECKING:
    from streams.board.model import Topic
    from streams.board.rows import Condition

_FEW = 2_000
"""Records behind the end that a busy topic may be without having to catch up."""


class Feed:
    """Reading of one topic."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.condition: Condition = "starting"
        self.behind = 0
        """Records between here and the topic's end."""
        self.detail = ""
        """What is wrong, for people."""

    def progress(self, behind: int) -> None:
        """Say how far it is to the end: close by is what makes it read, and then it may lag a little."""
        self.behind, self.detail = behind, ""
        self.condition = "reading" if behind <= _FEW else "catching-up"

    def fault(self, condition: Condition, detail: str) -> None:
        """Say why it cannot be read."""
        self.condition, self.detail = condition, detail

    def row(self) -> TopicRow:
        """Return what is shown of it."""
        return TopicRow(name=self.topic, condition=self.condition, behind=self.behind, detail=self.detail)


class Feeds:
    """Reading of all topics."""

    def __init__(self) -> None:
        self.all = {topic: Feed(topic) for topic in TOPICS}

    def rows(self) -> list[TopicRow]:
        """Return what is shown of each."""
        return [feed.row() for feed in self.all.values()]

    def wrong(self) -> str:
        """Return what keeps the board from showing the present, in words for an operator; empty when nothing does."""
        late = [feed for feed in self.all.values() if feed.condition != "reading"]
        return "; ".join(f"{feed.topic}: {feed.condition} {feed.detail or f'{feed.behind} behind'}" for feed in late)
