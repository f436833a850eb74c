"""Who gets in, and what every answer says; the server with nothing behind it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
from yarl import URL

from streams.board.access import Gate
from streams.board.feeds import Feeds
from streams.board.hub import MOST_VIEWERS, Hub
from streams.board.metrics import Metrics
from streams.board.model import Board
from streams.board.server import served
from streams.board.viewer import MOST_FRAMES
from tests.support.board import Record, alert, events, order
from tests.support.orders import WALLET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "a-token-of-some-length"
PATHS = ("/", "/events", "/api/wallets/0x1", "/api/alerts/a", "/static/js/main.js", "/login", "/nothing")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def hub() -> Hub:
    """Return a hub of an empty board."""
    return Hub(Board(), Feeds(), Metrics())


@asynccontextmanager
async def serving(hub: Hub, token: str = "") -> AsyncIterator[str]:
    """Serve a board; yields its address."""
    async with served(hub, Gate(token, "127.0.0.1"), host="127.0.0.1", port=0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
async def guarded(hub: Hub) -> AsyncIterator[str]:
    """Return a board with a token."""
    async with serving(hub, TOKEN) as address:
        yield address


@pytest.fixture
async def local(hub: Hub) -> AsyncIterator[str]:
    """Return a board for this machine."""
    async with serving(hub) as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a client that follows no redirect and keeps no cookie."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


async def test_without_the_token_nothing_is_shown(guarded: str, client: aiohttp.ClientSession) -> None:
    """The page leads to the form; programs are told how to show it; the page's own files hold no secret."""
    found = {}
    for path in PATHS:
        async with client.get(guarded + path, allow_redirects=False) as answer:
            found[path] = answer.status
    assert found == {
        "/": 303,
        "/events": 401,
        "/api/wallets/0x1": 401,
        "/api/alerts/a": 401,
        "/static/js/main.js": 200,
        "/login": 200,
        "/nothing": 401,
    }


async def test_programs_show_the_token_as_bearer(guarded: str, client: aiohttp.ClientSession) -> None:
    """It is never in an address."""
    async with client.get(f"{guarded}/", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        assert answer.status == 200
        assert "Log out" in await answer.text()
    async with client.get(f"{guarded}/events?token={TOKEN}") as answer:
        assert answer.status == 401
    async with events(guarded, Authorization=f"Bearer {TOKEN}") as watched:
        assert (await watched.next())[0] == "snapshot"


async def test_people_log_in_with_a_form(guarded: str, client: aiohttp.ClientSession) -> None:
    """The cookie is for this server only, for no script, and not the token; it ends with a log-out."""
    async with client.post(f"{guarded}/login", data={"token": "wrong"}, allow_redirects=False) as answer:
        assert (answer.status, answer.cookies) == (403, {})
        assert "This is not the token" in await answer.text()
    async with client.post(f"{guarded}/login", data={"token": TOKEN}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        cookie = answer.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="))
    assert TOKEN not in cookie
    headers = {"Cookie": cookie.partition(";")[0]}
    async with client.get(f"{guarded}/", headers=headers) as answer:
        assert answer.status == 200
    async with client.post(f"{guarded}/logout", headers=headers, allow_redirects=False) as answer:
        assert 'walletstream_board=""' in answer.headers["Set-Cookie"]


async def test_a_cookie_behind_tls_is_for_tls_only(guarded: str, client: aiohttp.ClientSession) -> None:
    """The proxy that ends TLS says so."""
    headers = {"X-Forwarded-Proto": "https"}
    async with client.post(f"{guarded}/login", data={"token": TOKEN}, headers=headers, allow_redirects=False) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("body", [b"", b"token=", b"token=%ff%fe", b"\xff" * 100, b"token=" + b"x" * 9_999])
async def test_a_login_that_is_none_is_refused(guarded: str, client: aiohttp.ClientSession, body: bytes) -> None:
    """Whatever is sent, and however much."""
    async with client.post(f"{guarded}/login", data=body, headers=FORM, allow_redirects=False) as answer:
        assert answer.status in {403, 413}
        assert "Set-Cookie" not in answer.headers


async def test_every_answer_carries_the_policies(guarded: str, local: str, client: aiohttp.ClientSession) -> None:
    """Also refusals, errors, and the stream."""
    for address in (guarded, local):
        for path in PATHS:
            async with client.get(address + path, allow_redirects=False) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert policy.startswith("default-src 'none'; script-src 'self';")
                assert "frame-ancestors 'none'" in policy
                assert "require-trusted-types-for 'script'" in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert "Python" not in answer.headers["Server"]


async def test_another_hosts_name_is_refused_on_loopback(local: str, client: aiohttp.ClientSession) -> None:
    """A page of strangers whose name was made to point here reads nothing, not even the page's files."""
    for path in PATHS:
        async with client.get(local + path, headers={"Host": "evil.example"}) as answer:
            assert answer.status == 421
    async with client.get(f"{local}/", headers={"Host": "localhost:9999"}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static/", "/static/js", "/static//etc/passwd"]
)
async def test_only_the_pages_own_files_are_served(local: str, client: aiohttp.ClientSession, path: str) -> None:
    """They were read at the start; a path is a name among theirs and nothing else."""
    async with client.get(URL(local + path, encoded=True)) as answer:
        assert answer.status == 404


async def test_files_are_not_sent_twice(local: str, client: aiohttp.ClientSession) -> None:
    """A browser asks whether its copy is still right."""
    async with client.get(f"{local}/static/base.css") as answer:
        tag = answer.headers["ETag"]
    async with client.get(f"{local}/static/base.css", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


async def test_pages_about_one_thing_are_json(hub: Hub, local: str, client: aiohttp.ClientSession) -> None:
    """Of a wallet in either letter case, and of an alert; 404 for what is not known."""
    board = hub.teller._board
    board.absorb("orders.v1", order(title="<script>"))
    board.absorb("alerts.v1", Record(alert("a1")))
    async with client.get(f"{local}/api/wallets/{WALLET.upper()}") as answer:
        assert answer.content_type == "application/json"
        assert (await answer.json())["orders"][0]["title"] == "<script>"
    async with client.get(f"{local}/api/alerts/a1") as answer:
        assert (await answer.json())["transitions"][0]["clauses"]
    for path in ("/api/wallets/0x1", "/api/alerts/a2"):
        async with client.get(local + path) as answer:
            assert (answer.status, await answer.json()) == (404, {"error": "not known"})


async def test_there_is_room_for_so_many_viewers(hub: Hub, local: str, client: aiohttp.ClientSession) -> None:
    """The next one is told to come back."""
    hub._viewers.update(object() for _ in range(MOST_VIEWERS))  # type: ignore[misc]
    async with client.get(f"{local}/events") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "10")


async def test_a_viewer_who_does_not_read_costs_a_few_frames(hub: Hub, local: str) -> None:
    """
    And gets a snapshot when it reads again, in place of what it missed.

        offered  1 2 3 ......................... 200
        read     snapshot 1 2 .. (what buffers held) .. snapshot
    """
    host, _, port = local.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 16)
    writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(60):
        await reader.readuntil(b"event: snapshot")
        (viewer,) = hub._viewers
        frame = b"event: changes\ndata: " + b"x" * 1_000_000 + b"\n\n"
        for _ in range(200):
            viewer.offer(frame)
            assert len(viewer._frames) <= MOST_FRAMES
            await asyncio.sleep(0)
        read, last = 0, b""
        while b"event: snapshot" not in last:
            chunk = await reader.read(1 << 16)
            read, last = read + len(chunk), last[-20:] + chunk
    assert read < 100_000_000
    writer.close()


async def test_the_hub_tells_of_changes_and_is_heard_when_there_are_none(hub: Hub, local: str) -> None:
    """Frames hold what changed; a quiet board still says the time, by which viewers know that it lives."""
    running = asyncio.ensure_future(hub.run())
    async with events(local) as watched:
        assert (await watched.next())[0] == "snapshot"
        hub.teller._board.absorb("orders.v1", order())
        frame = await watched.until(lambda frame: "orders" in frame)
        assert frame["orders"][0]["wallet"] == WALLET
        quiet = await watched.until(lambda frame: "orders" not in frame)
        assert set(quiet) == {"strip"}
    running.cancel()
