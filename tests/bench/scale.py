"""
What one order costs, and one wallet holds, in a process with so many wallets and windows, without Kafka.

    python -m tests.bench.scale WALLETS [WINDOWS]      prints {"us_per_order": ..., "bytes_per_wallet": ...}
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from random import Random
from typing import Any

import msgspec
import orjson
import psutil  # type: ignore[import-untyped]

from streams.stats import buckets

WALLETS = (1_000, 10_000, 100_000, 1_000_000)
WINDOWS = (4, 8, 16)
_ORDERS = 20_000
"""Folded in all, each by a wallet that had none since it was restored, so that only their number differs."""


async def measured(wallets: int, windows: int | None = None) -> dict[str, float]:
    """Measure in a process of its own."""
    arguments = [str(wallets), *([] if windows is None else [str(windows)])]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.scale", *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    result: dict[str, float] = orjson.loads(output)
    return result


def use_windows(count: int) -> None:
    """Have so many windows, each twice as long as the one before; to be called before anything imports them."""
    widths = [2**power for power in range(count)]
    buckets.SPANS = tuple(buckets.Span(f"{60 * width}s", 60 * width, width) for width in widths)  # type: ignore[assignment]
    buckets.WIDTHS = tuple(widths)
    buckets.LEVELS = count


def measure(wallets: int) -> dict[str, float]:
    """Restore wallets and fold orders of some of them, again and again where there are few."""
    from streams.fold import WalletFold  # noqa: PLC0415 - after the windows are chosen
    from streams.stats.wallet import WalletState  # noqa: PLC0415
    from tests.bench.seeded import Seeded  # noqa: PLC0415

    seeded, folding, rng = Seeded(), WalletFold(), Random(1)
    process = psutil.Process()
    took = folded = 0.0
    held = 0
    while folded < _ORDERS:
        gc.collect()
        before = process.memory_info().rss
        states = {wallet: WalletState.decode(value) for wallet, value in seeded.of(wallets)}
        held = max(held, process.memory_info().rss - before)
        gc.freeze()
        orders = [_order(seeded.next, wallet, rng) for wallet in rng.sample(list(states), min(wallets, _ORDERS))]
        began = time.process_time()
        for offset, order in enumerate(orders, start=1_000):
            folding.step(states[order.user], order, partition=0, offset=offset, clock=seeded.clock, source="ws")
        took += time.process_time() - began
        folded += len(orders)
    return {"us_per_order": took / folded * 1e6, "bytes_per_wallet": held / wallets}


def _order(orders: list[Any], wallet: str, rng: Random) -> Any:
    return msgspec.structs.replace(rng.choice(orders), user=wallet, event_id=f"{rng.getrandbits(128):032x}-0")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        use_windows(int(sys.argv[2]))
    print(orjson.dumps(measure(int(sys.argv[1]))).decode())  # noqa: T201 - read by the benchmark
