from __future__ import annotations

from streams.board.feeds import Feeds
from streams.board.model import TOPICS


def test_it_is_ready_when_every_topic_is_read_to_its_end() -> None:
    """And says which is not, and why."""
    feeds = Feeds()
    assert "orders.v1: starting" in feeds.wrong()
    for feed in feeds.all.values():
        feed.progress(5)
    assert feeds.wrong() == ""
    feeds.all["orders.v1"].progress(1_000_000)
    assert feeds.wrong() == "orders.v1: catching-up 1000000 behind"
    feeds.all["orders.v1"].fault("away", "no Kafka answers")
    assert feeds.wrong() == "orders.v1: away no Kafka answers"


def test_what_was_wrong_is_over_with_the_first_progress() -> None:
    """The row says so."""
    feeds = Feeds()
    feeds.all["gaps.v1"].fault("missing", "no topic")
    feeds.all["gaps.v1"].progress(0)
    row = next(row for row in feeds.rows() if row.name == "gaps.v1")
    assert (row.condition, row.detail) == ("reading", "")
    assert [each.name for each in feeds.rows()] == list(TOPICS)
