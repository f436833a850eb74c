from __future__ import annotations

from typing import Any, cast

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.transport.mailbox import Mailbox


@given(st.lists(st.one_of(st.just("take"), st.just("listen"), st.lists(st.integers(), min_size=1, max_size=5))))
def test_nothing_is_lost_and_whoever_takes_is_told(steps: list[Any]) -> None:
    """Whatever the interleaving: records come out in order, the agent is told once, the listener of every filling."""
    mailbox = Mailbox(TopicPartition("t", 0))
    added: list[int] = []
    taken: list[int] = []
    announcements = 0
    woken: list[int] = []
    listening = False
    for step in steps:
        before = len(woken)
        if step == "take":
            taken += cast("list[int]", mailbox.take())
        elif step == "listen":
            mailbox.listen(lambda: woken.append(1))
            listening = True
            assert len(woken) - before == (1 if len(mailbox) else 0)
        else:
            added += step
            announcements += mailbox.add(step)
            assert len(woken) - before == listening
    assert announcements == (1 if added else 0)
    assert taken + cast("list[int]", mailbox.take()) == added
