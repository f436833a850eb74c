"""Shell: what Dome serves. The WebSocket at `/<KEY>` and `GET /v1/polymarket/orders`."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, cast

import orjson
from aiohttp import WSMsgType, web

from connector.simulator.channel import Channel
from connector.simulator.connection import Connection
from connector.simulator.dialect import Dome
from connector.simulator.protocol import ServerSession
from connector.simulator.rest import RestError, page, parse_query
from connector.simulator.tiers import Quota, RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.engine import Engine
    from connector.simulator.faults import Fault, Kind
    from connector.simulator.settings import Config
    from connector.simulator.tiers import Tier

_SUBSCRIPTION_DIGITS = 11


class PublicApi:
    """Handlers of the public routes."""

    def __init__(
        self, engine: Engine, config: Config, *, clock_ns: Callable[[], int], pick: Callable[[str], str]
    ) -> None:
        """`pick` returns one character of a text, at random."""
        self._engine = engine
        self._config = config
        self._clock_ns = clock_ns
        self._pick = pick
        self._dialect = Dome()
        self._quotas: dict[str, Quota] = {}
        self._limits: dict[str, RateLimit] = {}
        self._connections = 0

    def routes(self) -> list[web.RouteDef]:
        """Return the routes; the socket's comes last, since it takes any single path segment."""
        return [
            web.get("/v1/polymarket/orders", self.orders),
            web.get(self._dialect.path, self.socket),
        ]

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until either side ends it."""
        key = request.match_info["key"]
        tier = self._config.tier_of(key)
        if tier is None:
            return _answer(self._config.switches.bad_key_status, "Unauthorized", "Invalid API key")
        refusal = self._engine.plan.take_one("handshake", asyncio.get_running_loop().time())
        if refusal is not None:
            return self._refusal(refusal.status)
        ws = web.WebSocketResponse(autoping=False, compress=False, writer_limit=0)
        if not ws.can_prepare(request):
            return _answer(426, "Upgrade Required", "This path serves WebSocket connections")
        await ws.prepare(request)
        channel = self._open(ws, cast("asyncio.Transport", request.transport), key, tier)
        writer = asyncio.create_task(channel.connection.write())
        try:
            await _read(ws, channel)
        finally:
            channel.close()
            await writer
            self._engine.channels.pop(channel.connection.number, None)
        return ws

    async def orders(self, request: web.Request) -> web.Response:
        """Serve a page of orders."""
        now = asyncio.get_running_loop().time()
        user = request.query.get("user", "").lower()
        faults = {fault.kind: fault for fault in self._engine.plan.take("rest", now, wallets=(user,))}
        if "rest_slow" in faults:
            await asyncio.sleep(faults["rest_slow"].seconds)
        if "rest_status" in faults:
            return self._refusal(faults["rest_status"].status)
        key = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.headers.get("x-api-key", "")
        tier = self._config.tier_of(key)
        if tier is None:
            return _answer(401, "Unauthorized", "Missing or invalid API key")
        wait = self._limits.setdefault(key, RateLimit(tier)).wait(now) if self._config.switches.rest_limits else 0.0
        if wait > 0:
            return self._refusal(429, wait)
        return self._page(request, faults)

    def _page(self, request: web.Request, faults: dict[Kind, Fault]) -> web.Response:
        switches = self._config.switches
        try:
            query = parse_query(request.query, requires_filter=switches.rest_requires_filter)
            body = page(self._engine.book, query, now_ns=self._clock_ns(), partial="rest_partial" in faults)
        except RestError as error:
            return web.Response(status=error.status, body=error.body, content_type="application/json")
        if "rest_truncate" in faults:
            body = body[: len(body) // 2]
        return web.Response(body=body, content_type="application/json")

    def _open(self, ws: web.WebSocketResponse, transport: asyncio.Transport, key: str, tier: Tier) -> Channel:
        switches = self._config.switches
        self._connections += 1
        connection = Connection(
            self._connections,
            ws,
            transport,
            book=self._engine.book,
            clock_ns=self._clock_ns,
            buffer_bytes=switches.buffer_bytes,
        )
        quota = self._quotas.setdefault(key, Quota(tier)) if switches.quota_per == "key" else Quota(tier)
        session = ServerSession(quota=quota, switches=switches, new_id=self._new_id)
        channel = Channel(connection, session, dialect=self._dialect, plan=self._engine.plan, switches=switches)
        if switches.greeting is not None:
            channel.greet(switches.greeting)
        self._engine.open(channel)
        return channel

    def _refusal(self, status: int, wait: float = 1.0) -> web.Response:
        answer = _answer(status, "Too Many Requests" if status == 429 else "Error", f"status {status}")
        if status == 429 and self._config.switches.retry_after:
            answer.headers["Retry-After"] = str(ceil(wait))
        return answer

    def _new_id(self) -> str:
        alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
        return "sub_" + "".join(self._pick(alphabet) for _ in range(_SUBSCRIPTION_DIGITS))


async def _read(ws: web.WebSocketResponse, channel: Channel) -> None:
    async for message in ws:
        if message.type is WSMsgType.PONG:
            channel.connection.unanswered_pings = 0
        elif channel.connection.silent:
            continue
        elif message.type is WSMsgType.PING:
            await ws.pong(message.data)
        elif message.type is WSMsgType.TEXT:
            channel.receive(message.data)
        elif message.type is WSMsgType.BINARY:
            channel.receive(message.data.decode(errors="replace"))


def _answer(status: int, error: str, message: str) -> web.Response:
    body = orjson.dumps({"error": error, "message": message})
    return web.Response(status=status, body=body, content_type="application/json")
