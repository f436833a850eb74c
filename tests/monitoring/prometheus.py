"""A real Prometheus with the configuration that ships, pointed at processes of this machine. Shell."""

from __future__ import annotations

import asyncio
import math
import shutil
import subprocess
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import yaml

from connector.local.process import Process
from tests.support.monitoring import FOLDER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

_HOST = "127.0.0.1"
_START_S = 60.0
_POLL_S = 0.2
_SCRAPES = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "2s"}
"""A minute has to do for what takes a quarter of an hour elsewhere."""


class Asked:
    """A running Prometheus, asked by HTTP."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def has_data(self, expr: str, *, since: float, now: float) -> bool:
        """Return whether a query has returned a number at any moment since then; raises ValueError if it is none."""
        found = await self._get("query_range", query=expr, start=str(since), end=str(now), step="2")
        return any(math.isfinite(float(value)) for series in found["result"] for _, value in series["values"])

    async def series(self, expr: str) -> int:
        """Return how many series a query returns now; raises ValueError if it is none."""
        return len((await self._get("query", query=expr))["result"])

    async def rules(self) -> list[dict[str, Any]]:
        """Return the rules with their health."""
        groups: list[dict[str, Any]] = (await self._get("rules"))["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def targets(self) -> list[dict[str, Any]]:
        """Return what is scraped, with its health."""
        targets: list[dict[str, Any]] = (await self._get("targets"))["activeTargets"]
        return targets

    async def _get(self, what: str, **query: str) -> Any:
        async with self._http.get(f"/api/v1/{what}", params=query) as response:
            answer = await response.json()
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        return answer["data"]


def configuration(targets: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the shipped configuration with a quick pulse, and these addresses in place of compose's names, by job."""
    config: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yaml").read_text("utf-8"))
    config["global"] = _SCRAPES
    config["rule_files"] = [str(FOLDER / "alerts.yaml")]
    for job in config["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": list(targets.get(job["job_name"], ()))}]
    return config


async def linted(address: str) -> str:
    """Return what promtool finds wrong with the names, types and texts of a program's metrics."""
    async with aiohttp.ClientSession() as http, http.get(f"http://{address}/metrics") as response:
        told = await response.read()
    pipe = subprocess.PIPE
    promtool = await asyncio.create_subprocess_exec(
        "promtool", "check", "metrics", stdin=pipe, stdout=pipe, stderr=pipe
    )
    said = await promtool.communicate(told)
    return b"".join(said).decode().strip()


@asynccontextmanager
async def prometheus(folder: Path, targets: Mapping[str, Sequence[str]], port: int) -> AsyncIterator[Asked]:
    """Run Prometheus on loopback, data in `folder`; its address is told by `port`."""
    program = shutil.which("prometheus")
    if program is None:
        raise FileNotFoundError("prometheus is not on PATH: `make monitoring` brings it")
    config = folder / "prometheus.yaml"
    config.write_text(yaml.safe_dump(configuration(targets)), encoding="utf-8")
    process = Process(
        "prometheus",
        [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={_HOST}:{port}",
            "--log.level=warn",
        ],
        log=folder / "prometheus.log",
    )
    async with aiohttp.ClientSession(f"http://{_HOST}:{port}", timeout=aiohttp.ClientTimeout(30)) as http:
        try:
            async with asyncio.timeout(_START_S):
                while not await _ready(http):
                    process.check()
                    await asyncio.sleep(_POLL_S)
            yield Asked(http)
        finally:
            await process.stop()


async def _ready(http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get("/-/ready") as response:
            return response.ok
    except aiohttp.ClientConnectionError:
        return False
