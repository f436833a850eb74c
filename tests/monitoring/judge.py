"""Asks for everything that operators look at, again and again, until all has been seen. Shell."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from tests.monitoring.expressions import filled, sides
from tests.support import monitoring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.monitoring.prometheus import Asked

_ROUND_S = 3.0


class Look(NamedTuple):
    """One expression that should return data."""

    kind: Literal["panel", "alert", "recorded"]
    name: str
    expr: str


class Verdict(NamedTuple):
    """What became of it."""

    look: Look
    ok: bool
    said: str
    """What is wrong, in words."""


def looks() -> Iterator[Look]:
    """Yield every query of every panel, each side of every alert, and what is recorded."""
    for query in monitoring.queries():
        yield Look("panel", f"{query.panel} | {query.legend}", filled(query.expr))
    for rule in monitoring.rules():
        if "record" in rule:
            yield Look("recorded", rule["record"], rule["record"])
        else:
            yield from (Look("alert", rule["alert"], side) for side in sides(rule["expr"]))


async def judged(asked: Asked, check: Callable[[], None], *, since: float, patience_s: float) -> list[Verdict]:
    """Return what became of each; ends as soon as all is well, and after `patience_s` as it is."""
    left = dict.fromkeys(looks(), "no data")
    seen: list[Verdict] = []
    give_up = time.monotonic() + patience_s
    while left and time.monotonic() < give_up:
        await asyncio.sleep(_ROUND_S)
        check()
        for look in list(left):
            try:
                found = await asked.has_data(look.expr, since=since, now=_now())
            except ValueError as error:
                left[look] = str(error)
                continue
            if found:
                seen.append(Verdict(look, ok=True, said=""))
                del left[look]
    return seen + [Verdict(look, ok=False, said=said) for look, said in left.items()]


async def unhealthy(asked: Asked, *, patience_s: float) -> list[str]:
    """Return what Prometheus itself says is wrong, and goes on being so: rules not evaluated, targets not read."""
    give_up = time.monotonic() + patience_s
    while (wrong := await _unhealthy(asked)) and time.monotonic() < give_up:  # noqa: ASYNC110 (only asking tells)
        await asyncio.sleep(_ROUND_S)
    return wrong


async def _unhealthy(asked: Asked) -> list[str]:
    rules = await asked.rules()
    wrong = [f"rule {rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] != "ok"]
    targets = await asked.targets()
    wrong += [f"target {each['scrapeUrl']}: {each['lastError']}" for each in targets if each["health"] != "up"]
    for metric in ("process_resident_memory_bytes", "process_start_time_seconds", '{__name__=~".+_build_info"}'):
        without = f"up unless on (job, instance) {metric}"
        wrong += [f"{await asked.series(without)} targets without {metric}"] if await asked.series(without) else []
    return wrong


async def firing(asked: Asked) -> list[str]:
    """Return the alerts that fire or are about to."""
    return sorted(
        f"{rule['name']} ({rule['state']})"
        for rule in await asked.rules()
        if rule.get("state") not in {None, "inactive"}
    )


def _now() -> float:
    return time.time_ns() / 1e9
