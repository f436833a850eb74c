"""Frames from a seed through the pipeline."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import TYPE_CHECKING

import msgspec
import psutil  # type: ignore[import-untyped]

from tests.fuzz.frames import FIRST_SECOND, order_event, other_message
from tests.fuzz.mutations import MUTATIONS, encoded
from tests.fuzz.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connector.dialects import Dialect

_CONNECTION = 5_000
"""Frames until the connection ends by itself."""
_SAMPLES = 100
_LATEST = 64
"""Orders of which any may come again."""


class FrameFailed(Exception):
    """A frame broke a promise; the message says which, and how to see it again."""


class Result(msgspec.Struct, frozen=True):
    """What became of the frames of one dialect."""

    outcomes: dict[str, int]
    counts: dict[str, int]
    """The intake's own."""
    resident: list[int]
    """Bytes, taken at even distances."""

    @property
    def growth(self) -> float:
        """How many times the memory of the first quarter is used in the last."""
        quarter = len(self.resident) // 4
        return max(self.resident[-quarter:]) / max(self.resident[:quarter])


def run(dialect: Dialect, frames: int, seed: int) -> Result:
    """
    Send frames.

    Raises:
        FrameFailed: see there.
    """
    pipeline, resident, process = Pipeline(dialect), list[int](), psutil.Process()
    for number, (raw, expected) in enumerate(generated(dialect.name, frames, Random(seed))):
        if number % _CONNECTION == 0:
            pipeline.connect()
        if number % max(frames // _SAMPLES, 1) == 0:
            resident.append(process.memory_info().rss)
        try:
            outcome = pipeline.take(raw)
        except Exception as error:
            raise FrameFailed(_report(dialect.name, seed, number, raw, f"{type(error).__name__}: {error}")) from error
        if expected not in (None, outcome):
            raise FrameFailed(_report(dialect.name, seed, number, raw, f"expected {expected}, got {outcome}"))
    return Result(dict(pipeline.outcomes), dict(pipeline.intake.counts), resident)


def generated(dialect: str, frames: int, random: Random) -> Iterator[tuple[bytes, str | None]]:
    """Return frames, and what has to become of them where that is certain."""
    latest, bare = deque[bytes](maxlen=_LATEST), deque[bytes](maxlen=_LATEST)
    for number in range(frames):
        second = FIRST_SECOND + number // 1000
        dice = random.random()
        if dice < 0.15:
            message = order_event(dialect, random, second)
            if indexed := random.random() < 0.9:
                latest.append(encoded(message))
            else:
                message["data"]["log_index"] = None
                bare.append(encoded(message))
            yield (latest if indexed else bare)[-1], "order"
        elif dice < 0.19 and latest:
            yield random.choice(latest), "duplicate"
        elif dice < 0.2 and bare:
            yield random.choice(bare), None  # a duplicate on a new connection, else unsettled
        elif dice < 0.21:
            yield encoded(order_event(dialect, random, second - 100_000)), None  # unsettled once something is forgotten
        elif dice < 0.25:
            yield encoded(other_message(dialect, random)), None
        else:
            message = other_message(dialect, random) if dice < 0.35 else order_event(dialect, random, second)
            yield random.choice(MUTATIONS)(message, random), None


def _report(dialect: str, seed: int, number: int, raw: bytes, fault: str) -> str:
    shown = raw if len(raw) <= 2_000 else raw[:2_000] + b"..."
    return f"{dialect}, seed {seed}, frame {number}: {fault}\n{shown!r}"
