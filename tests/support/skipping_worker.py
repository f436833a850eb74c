"""A worker whose client skips records: of every seventh fetch of a partition, the first half is lost."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from streams.__main__ import main
from streams.transport.driver import Consumer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.transport.mailbox import Mailbox

fetches = count(1)
ends: dict[Mailbox, int] = {}
fill = Consumer._fill


def lossy_fill(self: Consumer, mailbox: Mailbox, records: Sequence[Any]) -> bool:
    """Lose some of what was fetched, but not right after a seek: what a seek returns is the log's word."""
    goes_on = ends.get(mailbox) == records[0].offset
    ends[mailbox] = records[-1].offset + 1
    kept = records[(len(records) + 1) // 2 :] if goes_on and next(fetches) % 7 == 0 else records
    return bool(kept) and fill(self, mailbox, kept)


if __name__ == "__main__":
    Consumer._fill = lossy_fill  # type: ignore[method-assign]  # the fault
    main()
