"""Shell: the WebSocket route of one dialect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from aiohttp import WSMsgType, web

from connector.simulator.answers import answer, turned_away
from connector.simulator.channel import Channel
from connector.simulator.connection import Connection
from connector.simulator.plan import Target
from connector.simulator.protocol import ServerSession
from connector.simulator.tiers import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.dialect import Dialect
    from connector.simulator.engine import Engine
    from connector.simulator.faults import Fault, Kind
    from connector.simulator.settings import Config
    from connector.simulator.tiers import Tier


class SocketApi:
    """Sockets that speak one dialect."""

    def __init__(
        self,
        dialect: Dialect,
        engine: Engine,
        config: Config,
        *,
        clock_ns: Callable[[], int],
        pick: Callable[[str], str],
    ) -> None:
        """`pick` returns one character of a text, at random."""
        self._dialect = dialect
        self._engine = engine
        self._config = config
        self._clock_ns = clock_ns
        self._pick = pick
        self._quotas: dict[str, Quota] = {}

    def route(self, path: str) -> web.RouteDef:
        """Return the route, with `{key}` in its path."""
        return web.get(path, self.socket)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until either side ends it."""
        key = request.match_info["key"]
        tier = self._config.tier_of(key, self._dialect)
        faults = self._faults(key) if tier is not None else {}
        refusal = self._refusal(key, tier, faults)
        if refusal is not None:
            return refusal
        ws = web.WebSocketResponse(autoping=False, compress=False, writer_limit=0)
        if not ws.can_prepare(request):
            return answer(426, "Upgrade Required", "This path serves WebSocket connections")
        await ws.prepare(request)
        channel = self._open(ws, cast("asyncio.Transport", request.transport), key, cast("Tier", tier))
        if "slow_connection" in faults:
            channel.slow(faults["slow_connection"])
        writer = asyncio.create_task(channel.connection.write())
        try:
            await _read(ws, channel)
        finally:
            channel.close()
            await writer
            self._engine.channels.pop(channel.connection.number, None)
        return ws

    def _faults(self, key: str) -> dict[Kind, Fault]:
        target = Target(connection=self._engine.connections + 1, key=key)
        now = asyncio.get_running_loop().time()
        return {fault.kind: fault for fault in self._engine.plan.take("handshake", now, target)}

    def _refusal(self, key: str, tier: Tier | None, faults: dict[Kind, Fault]) -> web.Response | None:
        switches = self._config.switches
        if tier is None:
            return answer(switches.bad_key_status, "Unauthorized", "Invalid API key")
        if not tier.subscriptions:
            return answer(403, "Forbidden", "WebSocket access requires a higher plan")
        if "refuse" in faults:
            return turned_away(faults["refuse"].status, retry_after=switches.retry_after)
        same = sum(channel.target.key == key for channel in self._engine.channels.values())
        if switches.key_connections is not None and same >= switches.key_connections:
            return turned_away(429, retry_after=switches.retry_after)
        return None

    def _open(self, ws: web.WebSocketResponse, transport: asyncio.Transport, key: str, tier: Tier) -> Channel:
        switches, dialect = self._config.switches, self._dialect
        connection = Connection(
            self._engine.next_connection(),
            ws,
            transport,
            book=self._engine.book,
            clock_ns=self._clock_ns,
            buffer_bytes=switches.buffer_bytes or dialect.buffer_bytes,
            drop_bytes=switches.drop_bytes or dialect.drop_bytes,
        )
        quota = self._quotas.setdefault(key, Quota(tier)) if switches.quota_per == "key" else Quota(tier)
        session = ServerSession(
            dialect=dialect, quota=quota, switches=switches, new_id=lambda: dialect.new_id(self._pick)
        )
        channel = Channel(
            connection,
            session,
            target=Target(connection=connection.number, key=key),
            dialect=dialect,
            plan=self._engine.plan,
            switches=switches,
        )
        channel.opened()
        self._engine.open(channel)
        return channel


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
