"""How complete the topic of orders is, by what the connector says of wallets and gaps. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from connector.contract.coverage import CoverageRecord, decode_coverage
from connector.contract.errors import InvalidRecord
from connector.contract.gap import GapRecord, decode_gap

if TYPE_CHECKING:
    from connector.local.seen import Seen

_REMEMBERED: Final = 10_000
"""Gaps that ended; a report of one may be repeated."""


class Completeness:
    """State that grows by records of coverage and gaps; what cannot be read is passed over, it only shows."""

    def __init__(self) -> None:
        self.wallets: dict[str, CoverageRecord] = {}
        """What was last said of each wallet that is watched."""
        self.ended: Counter[str] = Counter()
        """Gaps by how they ended: `closed` or `unrecoverable`."""
        self.recovered = 0
        """Orders that repairs published."""
        self._ended_ids: dict[str, None] = {}

    def absorb_coverage(self, seen: Seen) -> None:
        """Take in a record of coverage."""
        wallet = (seen.key or b"").decode("ascii", "replace")
        self.wallets.pop(wallet, None)
        if seen.value is not None:
            try:
                self.wallets[wallet] = decode_coverage(seen.value)
            except InvalidRecord:
                return

    def absorb_gap(self, seen: Seen) -> None:
        """Take in a report of a gap."""
        try:
            gap = decode_gap(seen.value or b"")
        except InvalidRecord:
            return
        if gap.state in ("closed", "unrecoverable") and gap.gap_id not in self._ended_ids:
            self._end(gap)

    @property
    def live(self) -> int:
        """Wallets whose orders a socket delivers."""
        return sum(coverage.standing == "live" for coverage in self.wallets.values())

    @property
    def open(self) -> int:
        """Wallets with a gap under repair."""
        return sum(coverage.gap is not None for coverage in self.wallets.values())

    @property
    def verified_until_ms(self) -> int:
        """Unix milliseconds up to which every wallet was compared with REST; 0 without wallets."""
        return min((coverage.verified_until_ms for coverage in self.wallets.values()), default=0)

    @property
    def text(self) -> str:
        """One line for people."""
        parts = [f"{self.live:,} of {len(self.wallets):,} wallets live"]
        parts.append(f"gaps {self.open:,} open, {self.ended['closed']:,} closed")
        if self.ended["unrecoverable"]:
            parts.append(f"{self.ended['unrecoverable']:,} unrecoverable")
        parts.append(f"{self.recovered:,} orders recovered")
        return ", ".join(parts)

    def _end(self, gap: GapRecord) -> None:
        self._ended_ids[gap.gap_id] = None
        if len(self._ended_ids) > _REMEMBERED:
            del self._ended_ids[next(iter(self._ended_ids))]
        self.ended[gap.state] += 1
        self.recovered += gap.recovered
