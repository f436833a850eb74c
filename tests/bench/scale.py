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
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
import psutil  # type: ignore[import-untyped]

from streams.stats import buckets

if TYPE_CHECKING:
    from collections.abc import Sequence

WALLETS = (1_000, 10_000, 100_000, 1_000_000)
WINDOWS = (4, 8, 16)
_ORDERS = 20_000
_WARM_UP = 10_000
_REMEMBER_EVERY = 1_000
"""Orders."""


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
    """Restore wallets as a shard does, and fold orders of any of them."""
    from streams.fold import WalletFold  # noqa: PLC0415 - after the windows are chosen
    from streams.shards.values import Values  # noqa: PLC0415
    from streams.stats.glance import glance_at_wallet  # noqa: PLC0415
    from streams.stats.wallet import WalletState  # noqa: PLC0415
    from tests.bench.seeded import Seeded  # noqa: PLC0415

    seeded, folding, rng, process = Seeded(), WalletFold(), Random(1), psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    values = Values(WalletState.decode, glance_at_wallet)
    for wallet, value in seeded.of(wallets):
        values.restore(wallet, bytes(bytearray(value)))  # one of its own, as from Kafka
    names = list(values)
    warm_up, orders = (
        [_order(seeded.next, rng.choice(names), rng) for _ in range(count)] for count in (_WARM_UP, _ORDERS)
    )
    _fold(folding, values, warm_up, clock=seeded.clock)
    gc.freeze()
    began = time.process_time()
    _fold(folding, values, orders, clock=seeded.clock)
    took = time.process_time() - began
    held = process.memory_info().rss - before
    return {"us_per_order": took / len(orders) * 1e6, "bytes_per_wallet": held / wallets}


def _fold(folding: Any, values: Any, orders: Sequence[Any], *, clock: int) -> None:
    for offset, order in enumerate(orders, start=1_000):
        step = folding.step(values.get(order.user), order, partition=0, offset=offset, clock=clock, source="ws")
        values[order.user] = step.state
        if offset % _REMEMBER_EVERY == 0:
            while values.cool(_REMEMBER_EVERY):
                pass


def _order(orders: list[Any], wallet: str, rng: Random) -> Any:
    return msgspec.structs.replace(rng.choice(orders), user=wallet, event_id=f"{rng.getrandbits(128):032x}-0")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        use_windows(int(sys.argv[2]))
    print(orjson.dumps(measure(int(sys.argv[1]))).decode())  # noqa: T201 - read by the benchmark
