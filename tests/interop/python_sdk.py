"""Dome's Python SDK against the simulator: run by run.sh, in a virtual environment of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

from dome_api_sdk import DomeClient  # type: ignore[import-not-found]  # installed by run.sh only

if TYPE_CHECKING:
    from collections.abc import Callable

A, B, C, D = ("0x" + digit * 40 for digit in "abcd")
URL, DIALECT = sys.argv[1:3]
PATIENCE = 15.0


def call(method: str, path: str, body: Any = None) -> Any:
    """Call the simulator's own routes."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, method=method, data=data)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        return json.load(response)


def execute(user: str, *hashes: str) -> None:
    """Execute orders of the wallet with these transaction hashes."""
    row = {
        "token_id": "7",
        "token_label": "Up",
        "side": "BUY",
        "market_slug": "slug",
        "condition_id": "0x1",
        "shares": 5_000_000,
        "shares_normalized": 5.0,
        "price": 0.5,
        "title": "Title",
        "order_hash": "0x2",
        "user": user,
        "taker": None,
        "block_number": 1,
        "log_index": 1,
    }
    call("POST", "/_sim/execute", {"orders": [row | {"tx_hash": tx_hash} for tx_hash in hashes]})


async def until(condition: Callable[[], bool]) -> bool:
    """Wait until the condition holds, and tell whether it does."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not condition() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - the SDK signals nothing
        await asyncio.sleep(0.02)
    return condition()


class Run:
    """The checks, in order; each builds on the ones before."""

    def __init__(self) -> None:
        self.passed = self.failed = 0
        self.events: list[Any] = []
        self.orders, self.socket = self.client()

    def client(self) -> tuple[Any, Any]:
        """Return the SDK's REST and socket parts, pointed at the simulator."""
        client = DomeClient({"api_key": "dev-key", "base_url": f"{URL}/v1"})
        path = {"dome": "/dev-key", "predexon": "/v1/dev-key"}[DIALECT]
        client.polymarket.websocket._ws_url = URL.replace("http", "ws") + path
        return client.polymarket.orders, client.polymarket.websocket

    def check(self, what: str, *, holds: bool) -> None:
        """Count and report one check."""
        self.passed, self.failed = self.passed + holds, self.failed + (not holds)
        print(f"  {'ok  ' if holds else 'FAIL'} {what}")  # noqa: T201 - a program's output

    async def arrived(self, *hashes: str) -> bool:
        """Wait for these transactions, and tell whether exactly they arrived since the last call."""
        await until(lambda: len(self.events) >= len(hashes))
        await asyncio.sleep(0.2)
        seen, self.events = [event.data.tx_hash for event in self.events], []
        return seen == list(hashes)

    async def all(self) -> None:
        """Run every check."""
        subscription = await self.socket.subscribe(users=[A], on_event=lambda event: self.events.append(event))  # noqa: PLW0108 - the list is replaced
        execute(A, "a1", "a2", "a3")
        execute(B, "b1")
        self.check("subscribe: the wallet's orders arrive, in order", holds=await self.arrived("a1", "a2", "a3"))
        await self.socket.update(subscription, users=[B])
        await (await self.socket._websocket.ping())
        execute(A, "a4")
        execute(B, "b2")
        self.check("update: the new wallet's orders arrive, the old one's no more", holds=await self.arrived("b2"))
        call("POST", "/_sim/faults", {"kind": "drop"})
        resubscribed = await self.resubscribed(subscription)
        self.check("drop: reconnects and subscribes again under a new id", holds=resubscribed)
        execute(B, "b3")
        self.check("after the reconnect: orders arrive, once", holds=await self.arrived("b3"))
        await self.socket.unsubscribe(self.socket.get_active_subscriptions()[0].subscription_id)
        await (await self.socket._websocket.ping())
        execute(B, "b4")
        self.check("unsubscribe: nothing arrives", holds=await self.arrived())
        await self.socket.disconnect()
        if DIALECT == "dome":  # the SDK knows no other REST path
            self.check("REST: pages hold every order, newest first", holds=await asyncio.to_thread(self.pages))
        book = call("GET", "/_sim/book?view=deliveries")["deliveries"]
        reached = [delivery["order"] for delivery in book if delivery["reached"]]
        self.check("book: it tells the five deliveries that arrived", holds=reached == [1, 2, 3, 6, 7])
        await self.many()

    async def many(self) -> None:
        """Subscribe twice at once on a new socket, then once more with an event before the ack."""
        _, socket = self.client()

        def note(event: Any) -> None:
            self.events.append(event)

        await socket.connect()
        # The SDK gives two acks that come together to the first subscribe, and the second one runs into its timeout.
        call("POST", "/_sim/faults", {"kind": "delay_ack", "after": 1, "delay": 0.3})
        ids = await asyncio.gather(*(socket.subscribe(users=[user], on_event=note) for user in (A, B)))
        execute(A, "a5")
        execute(B, "b5")
        holds = await self.arrived("a5", "b5") and len(set(ids)) == 2
        self.check("two subscribes at once, acks apart: two ids, both wallets' orders arrive", holds=holds)
        call("POST", "/_sim/faults", {"kind": "early_event", "delay": 5})
        subscribing = asyncio.create_task(socket.subscribe(users=[C], on_event=note))
        await until(lambda: call("GET", "/_sim/stats")["subscriptions"] == 3)
        execute(C, "c1")
        await subscribing
        execute(C, "c2")
        self.check("an event before its ack: it arrives, and so do the next ones", holds=await self.arrived("c1", "c2"))
        call("POST", "/_sim/faults", {"kind": "error", "error": "RATE_LIMIT"})
        try:
            await socket.subscribe(users=[D], on_event=note)
        except Exception:  # noqa: BLE001 - the SDK ignores errors and runs into its timeout
            execute(A, "a6")
        self.check("a refused subscribe: fails, and the others go on", holds=await self.arrived("a6"))
        await socket.disconnect()

    async def resubscribed(self, old: str) -> bool:
        """Wait until the SDK holds a subscription other than `old`."""
        return await until(
            lambda: [active.subscription_id for active in self.socket.get_active_subscriptions()] not in ([], [old])
        )

    def pages(self) -> bool:
        """Follow the cursor through both wallets' orders."""
        hashes, key = [], None
        while True:
            page = self.orders.get_orders({"limit": 3, **({"pagination_key": key} if key else {})})
            hashes += [order.tx_hash for order in page.orders]
            key = getattr(page.pagination, "pagination_key", None)
            if not page.pagination.has_more:
                return hashes == ["b4", "b3", "b2", "a4", "b1", "a3", "a2", "a1"]


if __name__ == "__main__":
    run = Run()
    print(f"Python SDK dome-api-sdk 1.0.0, {DIALECT}")  # noqa: T201 - a program's output
    asyncio.run(run.all())
    print(f"Python SDK, {DIALECT}: {run.passed} passed, {run.failed} failed")  # noqa: T201 - a program's output
    sys.exit(run.failed > 0)
