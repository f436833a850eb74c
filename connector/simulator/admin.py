"""Shell: what only a simulator serves, under `/_sim`: the book, faults, statistics, execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from aiohttp import web

from connector.simulator.engine import InvalidRow
from connector.simulator.scenario import InvalidScenario, parse_fault

if TYPE_CHECKING:
    from connector.simulator.book import Executed
    from connector.simulator.engine import Engine

MOST_ENTRIES = 10_000
"""Entries in one page of the book."""
_DEFAULT_ENTRIES = 1_000


class AdminApi:
    """Handlers of `/_sim`."""

    def __init__(self, engine: Engine, wallets: list[str]) -> None:
        self._engine = engine
        self._wallets = wallets

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/_sim/book", self.book),
            web.get("/_sim/stats", self.stats),
            web.get("/_sim/wallets", self.wallets),
            web.post("/_sim/faults", self.inject),
            web.delete("/_sim/faults", self.clear),
            web.post("/_sim/execute", self.execute),
            web.post("/_sim/play", self.play),
            web.post("/_sim/pause", self.pause),
        ]

    async def book(self, request: web.Request) -> web.Response:
        """`view=orders|deliveries`, `after=SEQ`, `limit=N`: entries in order, and `next` to ask `after`."""
        after, limit = _natural(request, "after", 0), min(_natural(request, "limit", _DEFAULT_ENTRIES), MOST_ENTRIES)
        view = request.query.get("view", "orders")
        if view == "orders":
            orders = list(self._engine.book.orders_after(after, limit))
            entries, last = list(map(_encode_order, orders)), orders[-1].seq if orders else after
        elif view == "deliveries":
            deliveries = list(self._engine.book.deliveries_after(after, limit))
            entries, last = list(map(msgspec.json.encode, deliveries)), deliveries[-1].seq if deliveries else after
        else:
            raise _bad(f"view: expected orders or deliveries, got {view}")
        body = b'{"%b":[%b],"next":%d,"more":%b}' % (
            view.encode(),
            b",".join(entries),
            last,
            b"true" if len(entries) == limit else b"false",
        )
        return web.Response(body=body, content_type="application/json")

    async def stats(self, _: web.Request) -> web.Response:
        """Counts of everything."""
        return _json(self._engine.stats())

    async def wallets(self, request: web.Request) -> web.Response:
        """Wallets that trade here, the busiest first."""
        return _json({"wallets": self._wallets[: _natural(request, "limit", 50)]})

    async def inject(self, request: web.Request) -> web.Response:
        """Arm the fault, or the list of faults, in the body."""
        try:
            faults = parse_fault(await request.read())
        except InvalidScenario as error:
            raise _bad(str(error)) from error
        for fault in faults:
            self._engine.inject(fault)
        return _json({"injected": len(faults)})

    async def clear(self, _: web.Request) -> web.Response:
        """Disarm all faults."""
        self._engine.plan.clear()
        return _json({})

    async def execute(self, request: web.Request) -> web.Response:
        """Execute `{"orders": [...]}` now."""
        try:
            rows = orjson.loads(await request.read())["orders"]
            executed = self._engine.execute(rows)
        except (orjson.JSONDecodeError, InvalidRow) as error:
            raise _bad(str(error)) from error
        except (TypeError, KeyError, AttributeError) as error:
            raise _bad('expected {"orders": [{...}, ...]}') from error
        return _json({"first": executed[0].seq if executed else None, "last": executed[-1].seq if executed else None})

    async def play(self, _: web.Request) -> web.Response:
        """Start or resume replay and market."""
        self._engine.playing.set()
        return _json({})

    async def pause(self, _: web.Request) -> web.Response:
        """Hold replay and market; `execute` goes on working."""
        self._engine.playing.clear()
        return _json({})


def _encode_order(order: Executed) -> bytes:
    return b'{"seq":%d,"executed_ns":%d,"rest_ns":%d,"withheld":%b,"order":%b}' % (
        order.seq,
        order.executed_ns,
        order.rest_ns,
        b"true" if order.withheld else b"false",
        order.json,
    )


def _natural(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal()) or len(text) > 15:
        raise _bad(f"{name}: expected a number of 0 or more, got {text[:40]}")
    return int(text)


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


def _bad(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(
        text=orjson.dumps({"error": "Bad Request", "message": message}).decode(), content_type="application/json"
    )
