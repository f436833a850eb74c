"""What a process of ours tells probes and scrapers."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.support.replica import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, MutableMapping
    from typing import Any

PATIENCE_S = 60.0


class Status:
    """The status page of a process."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of an answer."""
        async with self._http.get(path) as answer:
            return answer.status, (await answer.text()).strip()

    async def until(self, status: int, text: str = "", *, path: str = "/readyz") -> str:
        """Wait for an answer with this status and this text in it; return its whole text."""
        answer = (0, "")
        async with asyncio.timeout(PATIENCE_S):
            while not (answer[0] == status and text in answer[1]):
                await asyncio.sleep(0.05)
                answer = await self.get(path)
        return answer[1]

    async def metrics(self) -> dict[str, float]:
        """Return every sample, named like `name{label=value,...}` without the namespace."""
        _, text = await self.get("/metrics")
        return {
            _name(sample.name, sample.labels.items()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def counted(self, enough: Callable[[dict[str, float]], object]) -> dict[str, float]:
        """Wait until the metrics are enough, and return them."""
        async with asyncio.timeout(PATIENCE_S):
            while not enough(found := await self.metrics()):  # noqa: ASYNC110 - a scraper can only ask
                await asyncio.sleep(0.05)
        return found


@asynccontextmanager
async def status_of(logs: Iterable[MutableMapping[str, Any]]) -> AsyncIterator[Status]:
    """Yield the status page whose address a replica in this process has logged, or is about to."""

    def addresses() -> list[str]:
        return [line["address"] for line in logs if line["event"] == "status.served"]

    await until(addresses, seconds=PATIENCE_S)
    async with aiohttp.ClientSession(f"http://{addresses()[0]}") as http:
        yield Status(http)


def _name(name: str, labels: Iterable[tuple[str, str]]) -> str:
    told = ",".join(f"{label}={value}" for label, value in sorted(labels))
    short = name.removeprefix("walletstream_connector_")
    return f"{short}{{{told}}}" if told else short
