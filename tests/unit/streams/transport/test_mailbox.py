from __future__ import annotations

from typing import Any, cast

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.transport.mailbox import Mailbox


@given(st.lists(st.one_of(st.just("take"), st.lists(st.integers(), min_size=1, max_size=5))))
def test_nothing_is_lost_and_one_announcement_is_under_way(steps: list[Any]) -> None:
    """Whatever the interleaving of fetches and takes, records come out in order, told once per filling."""
    mailbox = Mailbox(TopicPartition("t", 0))
    added: list[int] = []
    taken: list[int] = []
    told = 0
    for step in steps:
        if step == "take":
            taken += cast("list[int]", mailbox.take())
            told = 0
        else:
            added += step
            told += mailbox.add(step)
        assert told == (1 if len(mailbox) else 0)
    assert taken + cast("list[int]", mailbox.take()) == added
