"""The REST client against the simulator, over real HTTP, in each dialect and under each fault."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from connector.contract.identity import content_id
from connector.contract.order import parse_order
from connector.provider_clock import ProviderClock
from connector.rest import PassFailed, RestClient
from connector.simulator import Config, Fault, Simulator, Switches
from connector.simulator.tiers import DEV
from tests.support.dialects import DIALECTS
from tests.support.orders import WALLET, order_data

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from connector.dialects import Dialect

T = 1_767_556_295
SECONDS = 30


def fills() -> list[dict[str, Any]]:
    """Return a wallet's orders, some in equal pairs, newest last, and some of a stranger among them."""
    rows = []
    for number in range(150):
        owner = WALLET if number % 7 else "0x" + "b" * 40
        fill = number - 1 if number % 10 == 9 else number
        second = T + fill * SECONDS // 150
        rows.append(
            order_data(user=owner, tx_hash=f"0x{fill:064x}", timestamp=second, block_number=7, log_index=number)
        )
    return rows


@pytest.fixture(params=list(DIALECTS))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Each dialect."""
    return DIALECTS[request.param]


@pytest.fixture
async def simulator(dialect: Dialect) -> AsyncIterator[Simulator]:
    """A simulator in which the fills were executed; it tells nobody when to come back."""
    switches = Switches(retry_after=False, rest_limits=False)
    async with Simulator(
        Config(dialect="predexon" if dialect.name == "predexon" else "dome", switches=switches)
    ) as running:
        await running.execute(fills())
        yield running


def client(simulator: Simulator, dialect: Dialect, **more: Any) -> RestClient:
    """Return a client that loses no time between attempts."""
    options: dict[str, Any] = {"limits": ((1.0, 10_000),), "page_limit": 20, "uniform": lambda: 0.0} | more
    return RestClient(dialect, options.pop("keys", ["dev-1", "dev-2"]), base_url=simulator.rest_url, **options)


async def contents(rest_client: RestClient, start: float = 0.0, end: float = SECONDS) -> Counter[str]:
    """Sweep [T + start, T + end], and return each content with its most rows on one page."""
    counts: Counter[str] = Counter()
    async with aclosing(rest_client.sweep(WALLET, round((T + start) * 1000), round((T + end) * 1000))) as sweep:
        async for page in sweep:
            counts |= Counter(content_id(parse_order(row)) for row in page.rows)
    return counts


def expected(start: float = 0.0, end: float = SECONDS) -> Counter[str]:
    """Return what a complete sweep finds."""
    orders = [parse_order(row) for row in fills() if row["user"] == WALLET]
    return Counter(content_id(order) for order in orders if T + start <= order.timestamp <= T + end)


async def test_a_sweep_yields_the_interval(simulator: Simulator, dialect: Dialect) -> None:
    """All pages of it, of this wallet, twins counted; nothing from outside."""
    async with client(simulator, dialect) as rest_client:
        assert await contents(rest_client) >= expected()
        assert (await contents(rest_client)).keys() == expected().keys()
        assert await contents(rest_client, 10, 12) == expected(10, 12)
        assert not await contents(rest_client, 1_000, 2_000)


FAULTS = {
    "status": Fault(kind="rest_status", status=503, probability=0.2, times=None),
    "busy": Fault(kind="rest_status", status=429, probability=0.1, times=4),
    "partial": Fault(kind="rest_partial", probability=0.3, times=None),
    "truncate": Fault(kind="rest_truncate", probability=0.2, times=None),
    "slow": Fault(kind="rest_slow", delay=0.02, probability=0.2, times=None),
    "repeat": Fault(kind="rest_repeat", probability=0.3, times=None),
    "expire": Fault(kind="expire_cursor", probability=0.2, times=None),
    "refuse": Fault(kind="rest_status", status=401, after=3, times=1),
}


@pytest.mark.parametrize("names", [*([name] for name in FAULTS), list(FAULTS)])
async def test_a_complete_sweep_misses_nothing(simulator: Simulator, dialect: Dialect, names: list[str]) -> None:
    """Whatever the faults, alone and together: it fails, or it has each row and, without log_index, each twin."""
    completed = 0
    async with client(simulator, dialect, timeout=1.0) as rest_client:
        for seed in range(8):
            simulator.clear_faults()
            for number, name in enumerate(names):
                simulator.inject(replace(FAULTS[name], seed=seed * 100 + number))
            try:
                found = await contents(rest_client)
            except PassFailed:
                continue
            completed += 1
            assert found.keys() == expected().keys()
            if dialect.name == "predexon":
                assert found == expected()
    assert completed >= 4


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(kind="rest_status", status=503, times=None), "server"),
        (Fault(kind="rest_status", status=400, times=None), "request-refused"),
        (Fault(kind="rest_slow", delay=0.5, times=None), "timeout"),
        (Fault(kind="rest_truncate", times=None), "bad-body"),
    ],
)
async def test_a_fault_without_end_fails_the_sweep(simulator: Simulator, fault: Fault, reason: str) -> None:
    """With its reason, after the pages before it; and once it is over, a sweep completes."""
    async with client(simulator, DIALECTS[simulator.config.dialect], timeout=0.05) as rest_client:
        simulator.inject(replace(fault, after=2))
        with pytest.raises(PassFailed) as failed:
            await contents(rest_client)
        assert failed.value.reason == reason
        simulator.clear_faults()
        assert (await contents(rest_client)).keys() == expected().keys()


async def test_a_bad_key_is_told(simulator: Simulator, dialect: Dialect) -> None:
    """As such, and without quoting it."""
    async with client(simulator, dialect, keys=["bad-secret"]) as rest_client:
        with pytest.raises(PassFailed) as failed:
            await contents(rest_client)
    assert (failed.value.reason, failed.value.detail) == ("auth", "status 401")


async def test_no_server_is_told(dialect: Dialect) -> None:
    """A refused connection is one of the network's failures."""
    async with Simulator() as simulator:
        pass
    async with client(simulator, dialect) as rest_client:
        with pytest.raises(PassFailed) as failed:
            await contents(rest_client)
    assert failed.value.reason == "network"
    assert "Cannot connect" in failed.value.detail


async def test_a_late_row_is_for_a_later_sweep(simulator: Simulator, dialect: Dialect) -> None:
    """A sweep is complete as to what REST shows, and REST may lag."""
    simulator.inject(Fault(kind="rest_late", delay=0.2))
    await simulator.execute([order_data(timestamp=T + SECONDS, tx_hash="0x" + "c" * 64)])
    async with client(simulator, dialect) as rest_client:
        assert (await contents(rest_client)).total() == expected().total()
        await asyncio.sleep(0.25)
        assert (await contents(rest_client)).total() == expected().total() + 1


async def test_the_rate_limit_is_respected(dialect: Dialect) -> None:
    """Of a provider that enforces it, with two keys and many callers: no request is one too many."""
    limits = ((0.2, 5),)
    tier = replace(DEV, requests=limits)
    async with (
        Simulator(Config(tiers={"dev-1": tier, "dev-2": tier})) as simulator,
        client(simulator, dialect, limits=limits) as rest_client,
    ):
        path, params = dialect.rest_query(WALLET, T, T + 1, 5, None)
        await asyncio.gather(*(rest_client.page(path, params) for _ in range(30)))


async def test_dates_set_the_clock(simulator: Simulator, dialect: Dialect) -> None:
    """The simulator's clock is this machine's, whatever the wall clock said at first."""
    clock = ProviderClock(asyncio.get_running_loop().time(), 0)
    async with client(simulator, dialect, on_date=clock.observe) as rest_client:
        await contents(rest_client)
    assert clock.ms(asyncio.get_running_loop().time()) == pytest.approx(time.time_ns() / 1e6, abs=600)
