"""Shell: the REST route of one dialect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from connector.simulator.answers import answer, turned_away
from connector.simulator.plan import Target
from connector.simulator.rest import RestError, expired_cursor, page
from connector.simulator.tiers import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.simulator.dialect import Dialect
    from connector.simulator.engine import Engine
    from connector.simulator.faults import Fault, Kind, Trigger
    from connector.simulator.settings import Config


class RestApi:
    """Pages of orders, as one provider serves them."""

    def __init__(self, dialect: Dialect, engine: Engine, config: Config, *, clock_ns: Callable[[], int]) -> None:
        self._dialect = dialect
        self._engine = engine
        self._config = config
        self._clock_ns = clock_ns
        self._limits: dict[str, RateLimit] = {}

    def route(self) -> web.RouteDef:
        """Return the route."""
        return web.get(self._dialect.rest_path, self.orders)

    async def orders(self, request: web.Request) -> web.Response:
        """Serve a page of orders."""
        switches = self._config.switches
        now = asyncio.get_running_loop().time()
        key = self._key(request)
        faults = self._faults(request, key, now)
        if "rest_slow" in faults:
            await asyncio.sleep(faults["rest_slow"].seconds)
        if "rest_status" in faults:
            return turned_away(faults["rest_status"].status, retry_after=switches.retry_after)
        tier = self._config.tier_of(key, self._dialect)
        if tier is None:
            return answer(401, "Unauthorized", "Missing or invalid API key")
        wait = self._limits.setdefault(key, RateLimit(tier)).wait(now) if switches.rest_limits else 0.0
        if wait > 0:
            return turned_away(429, retry_after=switches.retry_after, wait=wait)
        return self._page(request, faults)

    def _key(self, request: web.Request) -> str:
        given = (request.headers.get(name, "").removeprefix("Bearer ") for name in self._dialect.rest_key)
        return next(filter(None, given), "")

    def _faults(self, request: web.Request, key: str, now: float) -> dict[Kind, Fault]:
        target = Target(wallets=(request.query.get(self._dialect.rest_user, "").lower(),), key=key)
        triggers: list[Trigger] = ["rest", "page"] if request.query.get("pagination_key") else ["rest"]
        struck = (fault for trigger in triggers for fault in self._engine.plan.take(trigger, now, target))
        return {fault.kind: fault for fault in struck}

    def _page(self, request: web.Request, faults: dict[Kind, Fault]) -> web.Response:
        try:
            if "expire_cursor" in faults:
                raise expired_cursor()
            found = page(
                self._engine.book,
                self._dialect.query(request.query, self._config.switches),
                now_ns=self._clock_ns(),
                partial="rest_partial" in faults,
                repeat="rest_repeat" in faults,
            )
        except RestError as error:
            return web.Response(status=error.status, body=error.body, content_type="application/json")
        body = self._dialect.body(found)
        if "rest_truncate" in faults:
            body = body[: len(body) // 2]
        return web.Response(body=body, content_type="application/json")
