"""
Runs a program of ours and says at its end how the garbage collector stopped it.

    python -m tests.bench.pauses MODULE [ARGUMENT ...]

The last line is {"collections": ..., "longest_ms": ..., "share": ...}.
"""

from __future__ import annotations

import gc
import runpy
import sys
import time
from typing import Any

import orjson


class Pauses:
    """Measures every collection."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self._began = 0.0
        self._lengths: list[float] = []

    def __call__(self, phase: str, _: dict[str, Any]) -> None:
        """See `gc.callbacks`."""
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._lengths.append(time.perf_counter() - self._began)

    def told(self) -> dict[str, float]:
        """Return how many there were, the longest, and the share of time."""
        return {
            "collections": len(self._lengths),
            "longest_ms": max(self._lengths, default=0.0) * 1e3,
            "share": sum(self._lengths) / (time.perf_counter() - self._since),
        }


def main() -> None:
    """Run the program as if it had been started itself."""
    pauses = Pauses()
    gc.callbacks.append(pauses)
    del sys.argv[0]
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        print(orjson.dumps(pauses.told()).decode(), flush=True)  # noqa: T201 - read by the benchmark


if __name__ == "__main__":
    main()
