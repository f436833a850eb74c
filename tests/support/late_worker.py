"""A worker that hears of changed rules long after they have taken effect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from streams.__main__ import main
from streams.rules_log import RulesLog

if TYPE_CHECKING:
    from collections.abc import Sequence

LATE_S = 1.5
absorb = RulesLog._absorb


async def late_absorb(self: RulesLog, records: Sequence[Any]) -> None:
    """Let time pass between what the broker sent and what is made of it."""
    if records:
        await asyncio.sleep(LATE_S)
    await absorb(self, records)


if __name__ == "__main__":
    RulesLog._absorb = late_absorb  # type: ignore[method-assign]  # the fault
    main()
