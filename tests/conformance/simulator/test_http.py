"""REST and the routes of the simulator itself, over real HTTP; and the program as a process."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientPayloadError, ClientSession, ContentTypeError
from msgspec.structs import replace

from connector.contract.order import parse_order
from connector.simulator import Config, Fault, Simulator, Switches
from connector.simulator.tiers import FREE
from tests.support.dome_client import dial, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

A = "0x" + "a" * 40
ORDERS = "/v1/polymarket/orders"


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A simulator that plays nothing."""
    async with Simulator() as running:
        yield running


@pytest.fixture
async def http(simulator: Simulator) -> AsyncIterator[ClientSession]:
    """A session with a key, rooted at the simulator."""
    async with ClientSession(simulator.rest_url, headers={"Authorization": "Bearer dev-key"}) as session:
        yield session


async def get(http: ClientSession, path: str, **params: Any) -> tuple[int, dict[str, Any]]:
    """Return status and decoded body."""
    async with http.get(path, params=params) as response:
        return response.status, await response.json()


async def test_rest_and_socket_tell_the_same_orders(simulator: Simulator, http: ClientSession) -> None:
    """Row for row, newest first."""
    async with dial(simulator) as client:
        await client.subscribe(A)
        await simulator.execute([{"user": A, "tx_hash": str(number)} for number in range(5)])
        events = [(await client.receive())["data"] for _ in range(5)]
    _, body = await get(http, ORDERS, user=A)
    assert body["orders"] == events[::-1]
    assert body["pagination"] == {"limit": 100, "offset": 0, "total": 5, "has_more": False}


async def test_documented_errors(http: ClientSession) -> None:
    """A wrong limit is 400, a deep offset and a missing key are 401."""
    assert (await get(http, ORDERS, limit=1001))[0] == 400
    status, body = await get(http, ORDERS, offset=10_001)
    assert (status, set(body)) == (401, {"error", "message", "docs"})
    async with http.get(ORDERS, headers={"Authorization": "Bearer bad-key"}) as response:
        assert response.status == 401


async def test_too_many_requests_are_told_when_to_come_back() -> None:
    """The third request of a plan with two a minute is a 429 with Retry-After; another key has its own count."""
    plan = replace(FREE, requests=((60.0, 2),))
    async with (
        Simulator(Config(tiers={"slow-1": plan, "slow-2": plan})) as simulator,
        ClientSession(simulator.rest_url) as http,
    ):
        responses = [await http.get(ORDERS, headers={"x-api-key": "slow-1"}) for _ in range(3)]
        assert [response.status for response in responses] == [200, 200, 429]
        assert 50 <= int(responses[-1].headers["Retry-After"]) <= 60
        assert (await http.get(ORDERS, headers={"x-api-key": "slow-2"})).status == 200


async def test_rest_faults(simulator: Simulator, http: ClientSession) -> None:
    """A status, a slow answer, half a page that promises more, a body cut short, a row that is late."""
    simulator.inject(Fault(kind="rest_late", delay=60, after=3))
    await simulator.execute([{"user": A}] * 4)
    for fault in ("rest_status", "rest_partial", "rest_truncate"):
        simulator.inject(Fault(kind=fault, wallet=A))
        if fault == "rest_status":
            assert (await get(http, ORDERS))[0] == 200, "aimed at the wallet's requests only"
            assert (await get(http, ORDERS, user=A))[0] == 503
        elif fault == "rest_partial":
            _, body = await get(http, ORDERS, user=A, limit=2)
            assert (len(body["orders"]), body["pagination"]["has_more"]) == (1, True)
        else:
            with pytest.raises((ValueError, ClientPayloadError, ContentTypeError)):
                await get(http, ORDERS, user=A)
    simulator.inject(Fault(kind="rest_slow", delay=0.1))
    before = asyncio.get_running_loop().time()
    _, body = await get(http, ORDERS, user=A)
    assert asyncio.get_running_loop().time() - before >= 0.1
    assert len(body["orders"]) == 3


async def test_a_withheld_row_is_never_shown(simulator: Simulator, http: ClientSession) -> None:
    """It is executed, goes out on sockets and is in the book as withheld; REST neither shows nor counts it."""
    simulator.inject(Fault(kind="rest_withhold", wallet=A))
    await simulator.execute([{"user": A, "tx_hash": "1"}, {"user": A, "tx_hash": "2"}])
    _, body = await get(http, ORDERS, user=A)
    assert ([row["tx_hash"] for row in body["orders"]], body["pagination"]["total"]) == (["2"], 1)
    _, book = await get(http, "/_sim/book")
    assert [entry["withheld"] for entry in book["orders"]] == [True, False]


async def test_faults_of_the_cursor_spare_first_pages(simulator: Simulator, http: ClientSession) -> None:
    """
    A page that repeats the end of the one before, and a cursor that has expired.

    rows   5 4 | 4 3 | 400
    """
    await simulator.execute([{"user": A, "tx_hash": str(number)} for number in range(1, 6)])
    simulator.inject(Fault(kind="rest_repeat"))
    simulator.inject(Fault(kind="expire_cursor", after=1))
    _, first = await get(http, ORDERS, limit=2)
    _, second = await get(http, ORDERS, limit=2, pagination_key=first["pagination"]["pagination_key"])
    status, third = await get(http, ORDERS, limit=2, pagination_key=second["pagination"]["pagination_key"])
    assert [row["tx_hash"] for row in first["orders"] + second["orders"]] == ["5", "4", "4", "3"]
    assert (status, third["message"]) == (400, "Invalid pagination_key")


async def test_answers_are_dated_by_the_simulators_clock() -> None:
    """REST and handshake alike: it is the provider's clock that its clients go by."""
    async with Simulator(clock_ns=lambda: 1_800_000_000_000_000_000) as simulator, ClientSession() as http:
        async with http.get(simulator.rest_url + ORDERS, headers={"x-api-key": "k"}) as response:
            assert response.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
        async with dial(simulator) as client:
            assert client.socket.response is not None
            assert client.socket.response.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"


async def test_rest_can_lag_behind_the_socket() -> None:
    """With the switch, a row shows up only after its lag."""
    async with (
        Simulator(Config(switches=Switches(rest_lag=0.5))) as simulator,
        ClientSession(simulator.rest_url, headers={"Authorization": "Bearer k"}) as http,
    ):
        await simulator.execute([{"user": A}])
        assert (await get(http, ORDERS))[1]["orders"] == []
        await asyncio.sleep(0.55)
        assert len((await get(http, ORDERS))[1]["orders"]) == 1


async def test_the_book_is_paged(simulator: Simulator, http: ClientSession) -> None:
    """Both views follow `after`, and hold what the embedded book holds."""
    async with dial(simulator) as client:
        await client.subscribe(A)
        async with http.post("/_sim/execute", json={"orders": [{"user": A}] * 5}) as response:
            assert await response.json() == {"first": 1, "last": 5}
        await simulator.settled()
    for view, expected in (("orders", 5), ("deliveries", 5)):
        entries: list[dict[str, Any]] = []
        more, after = True, 0
        while more:
            _, body = await get(http, "/_sim/book", view=view, after=after, limit=2)
            entries += body[view]
            more, after = body["more"], body["next"]
        assert [entry["seq"] for entry in entries] == list(range(1, expected + 1))
    assert entries[0]["order"] == 1
    assert entries[0]["reached"] is True


async def test_faults_come_and_go_over_http(simulator: Simulator, http: ClientSession) -> None:
    """Injected by POST, disarmed by DELETE, refused with the field's name."""
    async with http.post("/_sim/faults", json=[{"kind": "garble", "times": None}, {"kind": "duplicate"}]) as response:
        assert await response.json() == {"injected": 2}
    async with http.delete("/_sim/faults") as response:
        assert response.status == 200
    async with dial(simulator) as client:
        await client.subscribe(A)
        await simulator.execute([{"user": A, "tx_hash": "1"}])
        assert await client.hashes(1) == ["1"]
    async with http.post("/_sim/faults", json={"kind": "garble", "tmies": 3}) as response:
        assert response.status == 400
        assert "tmies" in (await response.json())["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"orders": [{}]}, "user:"),
        ({"orders": [{"user": A, "timestamp": "now"}]}, "timestamp:"),
        ({"orders": [{"user": A}, {"user": 5}]}, "user:"),
        ({"orders": 5}, "expected"),
        ([], "expected"),
    ],
)
async def test_wrong_orders_are_refused_whole(
    simulator: Simulator, http: ClientSession, body: Any, message: str
) -> None:
    """Nothing of a request with a fault is executed."""
    async with http.post("/_sim/execute", json=body) as response:
        assert response.status == 400
        assert message in (await response.json())["message"]
    assert simulator.book.orders == []


async def test_replay_and_market_play_together_until_paused() -> None:
    """Both kinds of order are executed, with the present time, and are valid by the contract; pausing stops them."""
    now = 1_800_000_000
    config = Config(replay="recorded", speed=100, market=1, rate=500)
    async with (
        Simulator(config, clock_ns=lambda: now * 1_000_000_000) as simulator,
        ClientSession(simulator.rest_url) as http,
    ):
        await until(lambda: len(simulator.book.orders) >= 500)
        async with http.post("/_sim/pause"):
            executed = [parse_order(order.row) for order in simulator.book.orders]
            assert not (await get(http, "/_sim/stats"))[1]["playing"]
        assert {order.order_hash is None for order in executed} == {True, False}
        assert {order.timestamp - now for order in executed} <= {0, 1, 2}
        await asyncio.sleep(0.2)
        held = len(simulator.book.orders)
        assert held <= len(executed) + 100
        async with http.post("/_sim/play"):
            await until(lambda: len(simulator.book.orders) > held)
        wallets = (await get(http, "/_sim/wallets", limit=3))[1]["wallets"]
        assert wallets == simulator.wallets[:3]


async def test_the_program_says_when_it_is_ready_and_stops_cleanly() -> None:
    """One line on standard output, nothing on standard error, exit code 0 on SIGTERM."""
    process = await _start("--market", "1")
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    host, _, port = line.removeprefix("simulator ready on ").strip().partition(":")
    async with ClientSession(f"http://{host}:{port}") as http:
        assert (await get(http, "/_sim/stats"))[0] == 200
    process.send_signal(signal.SIGTERM)
    assert await process.communicate() == (b"", b"")
    assert process.returncode == 0


@pytest.mark.parametrize(
    "arguments", [["--replay", "/nonexistent.jsonl"], ["--port", "9", "--host", "192.0.2.1", "--market", "1"]]
)
async def test_what_cannot_start_ends_with_2_and_a_reason(arguments: list[str]) -> None:
    """One line that names the file or the address."""
    process = await _start(*arguments)
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.count(b"\n") == 1
    assert arguments[-3 if len(arguments) > 2 else -1].encode() in errors


async def _start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "connector.simulator", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
