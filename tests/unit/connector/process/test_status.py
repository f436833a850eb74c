from __future__ import annotations

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter
from pydantic import ValidationError

from connector.process.status import StatusSettings, status_served


async def test_it_tells_what_is_wrong_and_its_metrics() -> None:
    """Probes answer 200, or 503 with the reason; scrapers get what they ask for."""
    registry, wrong = CollectorRegistry(), ""
    Counter("orders", "Orders.", registry=registry).inc(3)
    async with (
        status_served("127.0.0.1:0", registry=registry, live=lambda: "", ready=lambda: wrong) as address,
        aiohttp.ClientSession(f"http://{address}") as client,
    ):
        assert [(await client.get(path)).status for path in ("/livez", "/readyz")] == [200, 200]
        wrong = "restoring orders.v1 3"
        answer = await client.get("/readyz")
        assert (answer.status, await answer.text()) == (503, "restoring orders.v1 3\n")
        assert "orders_total 3.0" in await (await client.get("/metrics")).text()
        openmetrics = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        assert (await openmetrics.text()).endswith("# EOF\n")


async def test_every_process_tells_what_it_uses() -> None:
    """Memory, CPU, files and the time of its start, whatever it counts; only as long as it is served."""
    registry = CollectorRegistry()
    for _ in range(2):
        async with (
            status_served("127.0.0.1:0", registry=registry, live=str, ready=str) as address,
            aiohttp.ClientSession(f"http://{address}") as client,
        ):
            told = await (await client.get("/metrics")).text()
        names = ("resident_memory_bytes", "cpu_seconds_total", "open_fds", "start_time_seconds")
        assert all(f"\nprocess_{name} " in told for name in names)
    assert not list(registry.collect())


async def test_without_an_address_nothing_is_served() -> None:
    """Two workers on one machine must not need two ports."""
    async with status_served("", registry=CollectorRegistry(), live=str, ready=str) as address:
        assert address is None


@pytest.mark.parametrize("address", ["9464", ":9464", "localhost", "localhost:x", "localhost:65536"])
def test_a_wrong_address_is_refused(address: str) -> None:
    """Before anything starts."""
    with pytest.raises(ValidationError, match="host:port"):
        StatusSettings(status_address=address)
