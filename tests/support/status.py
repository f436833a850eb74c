"""Asks a process under test what operators ask: is it alive, is it ready, and its metrics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Self

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from connector.local.ports import port_of, reserve

if TYPE_CHECKING:
    from types import TracebackType

_POLL_S = 0.05
_LIMIT_S = 60.0


class Answer(NamedTuple):
    """A status code and what was said; 0 and nothing while nobody listens."""

    status: int
    text: str


class StatusClient:
    """Holds a port for a process to serve at `address`, and asks it there."""

    def __init__(self) -> None:
        self._port = reserve()
        self.address = f"127.0.0.1:{port_of(self._port)}"

    async def ask(self, path: str) -> Answer:
        """Ask once."""
        try:
            async with self._http.get(path) as answer:
                return Answer(answer.status, (await answer.text()).strip())
        except aiohttp.ClientConnectionError:
            return Answer(0, "")

    async def until(self, path: str, status: int, text: str = "") -> list[Answer]:
        """Ask until the answer is `status` and contains `text`; return all answers but those of nobody."""
        answers: list[Answer] = []
        try:
            async with asyncio.timeout(_LIMIT_S):
                while True:
                    answer = await self.ask(path)
                    answers += [answer] if answer.status and answer not in answers[-1:] else []
                    if answer.status == status and text in answer.text:
                        return answers
                    await asyncio.sleep(_POLL_S)
        except TimeoutError as error:
            raise AssertionError(f"{path} never said {status} {text!r}, but {answers[-3:]}") from error

    async def metrics(self) -> Metrics:
        """Return all series as they are now."""
        return Metrics((await self.ask("/metrics")).text)

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(f"http://{self.address}", timeout=aiohttp.ClientTimeout(total=10))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()
        self._port.close()


class Metrics:
    """The series of one scrape."""

    def __init__(self, text: str) -> None:
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def values(self, name: str, **labels: str) -> list[float]:
        """Return the values of the series with a name and these labels."""
        return [
            sample.value for sample in self._samples if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def total(self, name: str, **labels: str) -> float:
        """Return their sum."""
        return sum(self.values(name, **labels))
