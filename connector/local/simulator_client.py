"""Talks to the simulator's own interface: the book, the wallets, play and pause. Shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import aiohttp
import orjson

if TYPE_CHECKING:
    from types import TracebackType

_PAGE = 5_000


class SimulatorClient:
    """One simulator, `address` being its `host:port`."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._http = aiohttp.ClientSession(f"http://{address}", timeout=aiohttp.ClientTimeout(30))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def wallets(self, limit: int) -> list[str]:
        """Return wallets that trade here, the busiest first."""
        wallets: list[str] = (await self._call("GET", "/_sim/wallets", limit=limit))["wallets"]
        return wallets

    async def stats(self) -> dict[str, Any]:
        """Return the simulator's counts."""
        return await self._call("GET", "/_sim/stats")

    async def play(self) -> None:
        """Let the market run."""
        await self._call("POST", "/_sim/play")

    async def execute(self, orders: list[dict[str, Any]]) -> None:
        """Execute these orders now."""
        await self._call("POST", "/_sim/execute", body={"orders": orders})

    async def calm(self) -> None:
        """Disarm all faults."""
        await self._call("DELETE", "/_sim/faults")

    async def pause(self) -> None:
        """Hold the market; when this returns, nothing more is executed."""
        await self._call("POST", "/_sim/pause")

    async def orders(self) -> list[dict[str, Any]]:
        """Return every order of the book, as REST gives them."""
        rows: list[dict[str, Any]] = []
        after, more = 0, True
        while more:
            page = await self._call("GET", "/_sim/book", view="orders", after=after, limit=_PAGE)
            rows += [entry["order"] for entry in page["orders"]]
            after, more = page["next"], page["more"]
        return rows

    async def _call(
        self, method: str, path: str, *, body: dict[str, Any] | None = None, **query: str | int
    ) -> dict[str, Any]:
        async with self._http.request(method, path, params=query, json=body) as response:
            response.raise_for_status()
            answer: dict[str, Any] = orjson.loads(await response.read())
            return answer
