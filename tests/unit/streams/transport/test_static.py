from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest

from streams.transport.static import Guard, InstanceFenced, Membership

pytestmark = pytest.mark.looptime

SESSION_S = 10.0
FENCED = 82
UNKNOWN = 25
REBALANCING = 27

HEARTBEAT = HeartbeatRequest("group", 1, "me")
JOIN = JoinGroupRequest("group", 1, 1, "", "name", "consumer", [])
COMMIT = OffsetCommitRequest("group", 1, "me", -1, [])


@pytest.mark.parametrize(
    ("code", "now", "replaced"),
    [(0, 9.9, False), (REBALANCING, 9.9, False), (UNKNOWN, 9.9, True), (UNKNOWN, 10.0, False), (FENCED, 99.0, True)],
)
def test_who_is_not_known_any_more_within_a_session_was_replaced(code: int, now: float, *, replaced: bool) -> None:
    """
    After a session it may have been given up because it slept.

        s   0 known ........ 9.9 unknown: replaced    10 unknown: maybe asleep
    """
    membership = Membership(SESSION_S)
    assert not membership.replaced(0, asked=0.0, now=5.0)
    assert membership.replaced(code, asked=now, now=now) is replaced


def test_who_was_never_known_was_not_replaced() -> None:
    """The group lost what it knew before."""
    assert not Membership(SESSION_S).replaced(UNKNOWN, asked=1.0, now=1.0)


class Coordinator:
    """Answers with the codes it is given, in turn."""

    def __init__(self) -> None:
        self.member_id = "me"
        self.answers: list[int] = []
        self.sent = 0
        self.fenced: list[InstanceFenced] = []
        Guard(self, "w-0", SESSION_S, self._on_fenced)

    async def _on_fenced(self, error: InstanceFenced) -> None:
        self.fenced.append(error)

    async def _send_req(self, request: Any) -> Any:
        self.sent += 1
        code = self.answers.pop(0)
        if isinstance(request, OffsetCommitRequest):
            return SimpleNamespace(topics=[("orders.v1", [(0, 0), (1, code)])])
        return SimpleNamespace(error_code=code)


@pytest.mark.parametrize("request_", [HEARTBEAT, COMMIT], ids=["heartbeat", "commit"])
async def test_the_one_who_was_replaced_says_so_once_and_falls_silent(request_: Any) -> None:
    """Another join would replace the other one in turn."""
    coordinator = Coordinator()
    coordinator.answers = [0, UNKNOWN]
    await coordinator._send_req(HEARTBEAT)
    await asyncio.sleep(3)
    for _ in range(3):
        with pytest.raises(InstanceFenced, match=r"GROUP_INSTANCE_ID=w-0.*Give each worker a name of its own"):
            await coordinator._send_req(request_)
    await asyncio.sleep(0)
    assert coordinator.sent == 2
    assert len(coordinator.fenced) == 1


async def test_a_worker_that_slept_through_its_session_joins_again() -> None:
    """Aiokafka gets the answer and does that."""
    coordinator = Coordinator()
    coordinator.answers = [0, UNKNOWN, 0]
    await coordinator._send_req(HEARTBEAT)
    await asyncio.sleep(SESSION_S)
    assert (await coordinator._send_req(HEARTBEAT)).error_code == UNKNOWN
    assert (await coordinator._send_req(JOIN)).error_code == 0
    await asyncio.sleep(0)
    assert coordinator.fenced == []


async def test_what_an_older_self_is_told_is_no_news() -> None:
    """Between giving up one id and being given the next, commits are not from a member that anybody knows."""
    coordinator = Coordinator()
    coordinator.answers = [0, UNKNOWN]
    await coordinator._send_req(HEARTBEAT)
    coordinator.member_id = ""
    await coordinator._send_req(COMMIT)
    await asyncio.sleep(0)
    assert coordinator.fenced == []
