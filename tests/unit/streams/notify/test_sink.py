from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from streams.notify.signature import headers
from streams.notify.sink import OLDEST_S, Sink, main

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

SECRET = "only for this test"
NOW = 1_794_000_000
BODY = json.dumps(
    {
        "key": "n1", "receiver": "sink", "kind": "new", "at": NOW * 1000, "group": {"rule": "whale"}, "alerts": [],
        "counts": {"total": 1}, "offsets": {}, "title": "1 alert of whale", "body": "it bought\x1b[31m",
    }
).encode()  # fmt: skip


class Receiver:
    """A sink, what it said, and a way to post to it."""

    def __init__(self, client: TestClient[web.Request, web.Application], said: list[str]) -> None:
        self._client = client
        self.said = said

    async def post(self, body: bytes = BODY, *, key: str = "n1", secret: str = SECRET, at_s: int = NOW) -> int:
        """Return the status of the answer to a signed post."""
        async with self._client.post("/", data=body, headers=headers(secret, key, body, at_s)) as answer:
            return answer.status

    async def unsigned(self) -> int:
        """Return the status of the answer to a post without a signature."""
        async with self._client.post("/", data=BODY) as answer:
            return answer.status


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Return a sink at a time that stands still."""
    said: list[str] = []
    app = Sink(SECRET, now_s=lambda: NOW, say=said.append).app()
    async with TestClient(TestServer(app)) as client:
        yield Receiver(client, said)


async def test_each_notification_is_said_once(receiver: Receiver) -> None:
    """One that is sent again has the same key; a terminal only shows what is said."""
    assert [await receiver.post(), await receiver.post(), await receiver.post(key="n2")] == [204, 204, 204]
    assert len(receiver.said) == 2
    assert json.loads(receiver.said[0])["title"] == "1 alert of whale"
    assert receiver.said[0].isprintable()


@pytest.mark.parametrize("age_s", [OLDEST_S + 1, -OLDEST_S - 1])
async def test_what_was_signed_long_ago_is_refused(receiver: Receiver, age_s: int) -> None:
    """Somebody may have overheard it."""
    assert await receiver.post(at_s=NOW - age_s) == 401
    assert receiver.said == []


async def test_what_is_not_signed_with_the_secret_is_refused(receiver: Receiver) -> None:
    """Or not at all."""
    assert await receiver.post(secret="another") == 401
    assert await receiver.unsigned() == 401
    assert receiver.said == []


async def test_what_is_no_notification_is_refused_for_good(receiver: Receiver) -> None:
    """With 400, which nobody repeats."""
    assert await receiver.post(b"{}") == 400


def test_without_a_secret_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would believe everybody."""
    monkeypatch.delenv("SINK_SECRET", raising=False)
    assert main([]) == 2
    assert "SINK_SECRET" in capsys.readouterr().err
