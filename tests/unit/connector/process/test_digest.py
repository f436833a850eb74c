from __future__ import annotations

import asyncio

import pytest

from connector.process.digest import Digest


@pytest.mark.looptime
async def test_it_speaks_at_once_and_then_seldom() -> None:
    """
    The first news is told as it comes, and what follows within ten seconds together.

        0 s  a      1 s  b   2 s  c     10 s        20 s      31 s  d
             told                       told b, c   nothing         told at once
    """
    now, told = asyncio.get_running_loop().time, list[tuple[float, list[str]]]()
    start = now()
    digest = Digest[str](lambda items: told.append((now() - start, items)))
    digest.add([])
    digest.add(["a"])
    for word in ("b", "c"):
        await asyncio.sleep(1)
        digest.add([word])
    await asyncio.sleep(29)
    digest.add(["d"])
    assert told == [(0.0, ["a"]), (10.0, ["b", "c"]), (31.0, ["d"])]
