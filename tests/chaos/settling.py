"""When everything is repaired: what coverage still lacks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.evidence import Coverage


def unsettled(coverage: Iterable[Coverage], wallets: Iterable[str], *, beyond_ms: int) -> list[str]:
    """Return a line for each wallet that is not live, without gap, and covered and verified beyond a time."""
    latest = {each.record.wallet: each.record for each in coverage}
    lines = []
    for wallet in wallets:
        record = latest.get(wallet)
        if record is None:
            lines.append(f"{wallet} has no coverage")
        elif faults := [
            fault
            for fault, is_so in (
                (f"is {record.standing}", record.standing != "live"),
                (f"has an open gap ({record.gap and record.gap.cause})", record.gap is not None),
                (f"is covered {beyond_ms - record.covered_until_ms} ms short", record.covered_until_ms < beyond_ms),
                (f"is verified {beyond_ms - record.verified_until_ms} ms short", record.verified_until_ms < beyond_ms),
            )
            if is_so
        ]:
            lines.append(f"{wallet} {', '.join(faults)}, owner {record.owner}")
    return lines
