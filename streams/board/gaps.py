"""The gaps of the board. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.board.changes import Table
from streams.board.rows import GapRow, shortened

if TYPE_CHECKING:
    from connector.contract.gap import GapRecord

MOST_GAPS = 500


class Gaps:
    """The gaps reported last, `MOST_GAPS` at once."""

    def __init__(self) -> None:
        self.table: Table[GapRow] = Table(MOST_GAPS)

    def report(self, gap: GapRecord) -> None:
        """Take in a report; the last one of a gap counts."""
        known = self.table.get(gap.gap_id)
        if known is not None and known.at > gap.at_ms:
            return
        row = GapRow(
            gap_id=gap.gap_id,
            wallet=gap.wallet,
            state=gap.state,
            cause=gap.cause,
            start=gap.start_ms,
            end=gap.end_ms,
            recovered=gap.recovered,
            detail=shortened(gap.detail),
            at=gap.at_ms,
        )
        if row != known:
            self.table.put(gap.gap_id, row)
