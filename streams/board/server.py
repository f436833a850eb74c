"""Answers the page's requests. Shell."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

from aiohttp import web

from streams.board.access import COOKIE, HEADERS, SESSION_S, Gate
from streams.board.assets import load_assets
from streams.board.hub import now_ms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler, Middleware

    from streams.board.hub import Hub

_GRACE_S = 1.0
_MOST_BYTES = 4_096
"""Of a request's body: a token."""
_WRITE_TIMEOUT_S = 30.0
"""A viewer that takes nothing for so long is gone."""
_FAILED = (b"<!--failed-->", b'<p class="error" role="alert">This is not the token.</p>')
_LOGOUT = (b"<!--logout-->", b'<form method="post" action="/logout"><button>Log out</button></form>')


class Pages:
    """The handlers."""

    def __init__(self, hub: Hub, gate: Gate) -> None:
        self._hub = hub
        self._gate = gate
        self._assets = load_assets()

    def routes(self) -> list[web.RouteDef]:
        """Return all of them."""
        return [
            web.get("/", self.page),
            web.get("/static/{path:.+}", self.static),
            web.get("/login", self.login),
            web.post("/login", self.log_in),
            web.post("/logout", self.log_out),
            web.get("/events", self.events),
            web.get("/api/wallets/{wallet}", self.wallet),
            web.get("/api/alerts/{episode}", self.alert),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Return the page itself, with a way out for who had to log in."""
        if self._gate.open:
            return self._asset(request, "index.html")
        body = self._assets["index.html"].body.replace(*_LOGOUT)
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers={"Cache-Control": "no-cache"})

    async def static(self, request: web.Request) -> web.Response:
        """Return one of its files."""
        return self._asset(request, request.match_info["path"])

    async def login(self, request: web.Request) -> web.Response:
        """Return the form that asks for the token."""
        return self._asset(request, "login.html")

    async def log_in(self, request: web.Request) -> web.Response:
        """Take the token, and give a session for it."""
        try:
            token = (await request.post()).get("token", "")
        except ValueError:  # no form at all
            token = ""
        if not isinstance(token, str) or not self._gate.right(token):
            form = self._assets["login.html"].body.replace(*_FAILED)
            return web.Response(body=form, status=403, content_type="text/html", charset="utf-8")
        answer = web.HTTPSeeOther("/")
        # Behind a proxy that ends TLS it is the proxy that knows; a lie can but cost the liar his cookie.
        secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
        session = self._gate.session(time.time())  # noqa: TID251 - when it ends; the gate reads no clock
        answer.set_cookie(COOKIE, session, max_age=SESSION_S, httponly=True, samesite="Strict", secure=secure)
        raise answer

    async def log_out(self, _request: web.Request) -> NoReturn:
        """Forget the session in this browser."""
        answer = web.HTTPSeeOther("/login")
        answer.del_cookie(COOKIE)
        raise answer

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send a snapshot, then what changes, as server-sent events."""
        if self._hub.full:
            raise web.HTTPServiceUnavailable(text="too many viewers\n", headers={"Retry-After": "10"})
        answer = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await answer.prepare(request)
        with self._hub.watching() as viewer:
            while True:
                event = await viewer.next()
                try:
                    async with asyncio.timeout(_WRITE_TIMEOUT_S):
                        await answer.write(self._hub.snapshot() if event is None else event)
                except (ConnectionError, TimeoutError):
                    return answer

    async def wallet(self, request: web.Request) -> web.Response:
        """Return all that is known of a wallet."""
        return _json(self._hub.teller.wallet(request.match_info["wallet"].lower(), now_ms()))

    async def alert(self, request: web.Request) -> web.Response:
        """Return all that is known of an alert, its explanation too."""
        return _json(self._hub.teller.alert(request.match_info["episode"]))

    def _asset(self, request: web.Request, path: str) -> web.Response:
        asset = self._assets.get(path)
        if asset is None:
            raise web.HTTPNotFound
        headers = {"ETag": f'"{asset.etag}"', "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8", headers=headers)


def _json(body: bytes | None) -> web.Response:
    if body is None:
        return web.json_response({"error": "not known"}, status=404, headers={"Cache-Control": "no-store"})
    return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})


def _guard(gate: Gate) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not gate.knows_host(request.host):
            raise web.HTTPMisdirectedRequest(text="this board answers to localhost and 127.0.0.1 only\n")
        public = request.path in ("/login", "/logout") or request.path.startswith("/static/")
        if public or gate.admits(request.headers, request.cookies, time.time()):  # noqa: TID251 - the gate reads none
            return await handler(request)
        if request.path == "/":
            raise web.HTTPSeeOther("/login")
        raise web.HTTPUnauthorized(text="log in, or send the token as bearer\n", headers={"WWW-Authenticate": "Bearer"})

    return guard


async def _with_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers["Server"] = "walletstream"


@asynccontextmanager
async def served(hub: Hub, gate: Gate, *, host: str, port: int) -> AsyncIterator[int]:
    """
    Serve the board in the meantime; yields the port.

    Raises:
        OSError: the address is taken, or not ours.
    """
    app = web.Application(middlewares=[_guard(gate)], client_max_size=_MOST_BYTES)
    app.add_routes(Pages(hub, gate).routes())
    app.on_response_prepare.append(_with_headers)
    # No access log: it would be a line per request, and of no use.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
