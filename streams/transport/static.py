"""
Static membership: a worker with a name of its own keeps its partitions across a restart.

aiokafka joins under the name and does not leave. What it does not know is the answer to a member that another process
has replaced under the same name: it would join again, replace the other one, and so on for ever. Here the one who was
replaced finds out and stops.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import KafkaError
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, SyncGroupRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_UNKNOWN_MEMBER_ID: Final = 25
_FENCED_INSTANCE_ID: Final = 82
"""Kafka's error codes; aiokafka has no name for the second."""

_OF_MEMBERS = (HeartbeatRequest, JoinGroupRequest, SyncGroupRequest)


class InstanceFenced(KafkaError):  # type: ignore[misc]  # aiokafka is untyped
    """Another process took our place in the group."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"GROUP_INSTANCE_ID={name}: another process joined the group under this name, or somebody removed it from"
            " the group. Give each worker a name of its own, and end a worker before its successor starts"
        )


class Membership:
    """
    Tells from the group's answers whether another process has our name. Times are in seconds, of any one clock.

    That a member is not known any more may mean that it slept through its session. If it was known when it asked less
    than a session ago, only somebody of the same name can have replaced it.
    """

    def __init__(self, session_s: float) -> None:
        self._session_s = session_s
        self._known_at: float | None = None

    def replaced(self, code: int, *, asked: float, now: float) -> bool:
        """Judge the answer `code` that came `now` to what was `asked` then."""
        if code == 0:
            self._known_at = asked
        recently = self._known_at is not None and now - self._known_at < self._session_s
        return code == _FENCED_INSTANCE_ID or (code == _UNKNOWN_MEMBER_ID and recently)


class Guard:
    """Listens to what the group coordinator of an aiokafka consumer is answered, and silences it once replaced."""

    def __init__(
        self, coordinator: Any, name: str, session_s: float, on_fenced: Callable[[InstanceFenced], Awaitable[None]]
    ) -> None:
        self._coordinator = coordinator
        self._send = coordinator._send_req  # noqa: SLF001  # the transport is where internals are known
        self._name = name
        self._membership = Membership(session_s)
        self._on_fenced = on_fenced
        self._fenced: asyncio.Task[None] | None = None
        coordinator._send_req = self.send  # noqa: SLF001

    async def send(self, request: Any) -> Any:
        """
        Send a request of the coordinator.

        Raises:
            InstanceFenced: it was replaced; nothing is sent any more, or it would replace the other.
        """
        if self._fenced is not None:
            raise InstanceFenced(self._name)
        clock = asyncio.get_running_loop().time
        asked, member = clock(), self._coordinator.member_id
        response = await self._send(request)
        if not member or member != self._coordinator.member_id:
            return response  # it joins, or has joined anew meanwhile: that an older self is not known is no news
        if any(self._membership.replaced(code, asked=asked, now=clock()) for code in _codes(request, response)):
            self._say()
            raise InstanceFenced(self._name)
        return response

    def _say(self) -> None:
        if self._fenced is None:  # a second answer may have been under way
            self._fenced = asyncio.ensure_future(self._on_fenced(InstanceFenced(self._name)))


def _codes(request: Any, response: Any) -> list[int]:
    """Return what an answer says about our membership."""
    if isinstance(request, _OF_MEMBERS):
        return [response.error_code]
    if isinstance(request, OffsetCommitRequest):
        return [code for _, partitions in response.topics for _, code in partitions]
    return []
