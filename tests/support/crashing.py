"""
A replica that dies between two steps, by design.

    CRASH_AT=repairer._page:after CRASH_COUNT=2 python -m tests.support.crashing     otherwise as `python -m connector`

At the given crossing of the given step the process is gone, as with `kill -9`: nothing is flushed, closed or told.
"""

from __future__ import annotations

import functools
import inspect
import os
import runpy
import sys
from typing import Any

from connector.publisher import Publisher
from connector.replica.ledger import Ledger
from connector.replica.membership import Membership
from connector.replica.repairer import Repairer
from connector.replica.replica import Replica
from connector.replica.restorer import Restorer
from connector.replica.router import Router
from connector.replica.watchlist import Watchlist

EXIT_CODE = 9

WORKING: dict[str, tuple[int, ...]] = {
    "publisher.publish": (3, 40),
    "publisher._hand_over": (3, 40),
    "publisher._delivered": (3, 40),
    "publisher.barrier": (2, 9),
    "ledger.page": (2, 9),
    "ledger._publish_gaps": (1, 2),
    "ledger._publish_coverage": (1, 5),
    "membership._commit": (2, 5),
    "repairer._page": (1, 9),
    "repairer._judge": (1, 9),
    "replica.live": (1, 3),
    "replica.lost": (1, 3),
    "router._accept": (1, 20),
}
"""Steps of a replica at work: methods whose beginning and end are places to die, and at which of their calls."""

STARTING: dict[str, tuple[int, ...]] = {
    "replica.take_over": (1,),
    "watchlist.restored": (1, 3),
    "restorer._read_list": (1, 3),
    "restorer._read_orders": (1, 3),
    "restorer._ready": (1, 3),
}
"""The same of one that takes over, four partitions at a time."""

_OWNERS: dict[str, type] = {
    "publisher": Publisher,
    "ledger": Ledger,
    "membership": Membership,
    "repairer": Repairer,
    "replica": Replica,
    "restorer": Restorer,
    "router": Router,
    "watchlist": Watchlist,
}


class _Crossing:
    """Counts, and dies at the one that was asked for."""

    def __init__(self, count: int) -> None:
        self._left = count

    def cross(self) -> None:
        """Pass, or die."""
        self._left -= 1
        if self._left == 0:
            sys.stderr.write("crashing\n")
            sys.stderr.flush()
            os._exit(EXIT_CODE)


def plant(owner: type, name: str, *, after: bool, count: int) -> None:
    """Wrap a method so that its `count`-th call ends the process, before or after it does its work."""
    method, crossing = getattr(owner, name), _Crossing(count)

    @functools.wraps(method)
    def plain(*args: Any, **kwargs: Any) -> Any:
        if not after:
            crossing.cross()
        result = method(*args, **kwargs)
        if after:
            crossing.cross()
        return result

    @functools.wraps(method)
    async def waiting(*args: Any, **kwargs: Any) -> Any:
        if not after:
            crossing.cross()
        result = await method(*args, **kwargs)
        if after:
            crossing.cross()
        return result

    setattr(owner, name, waiting if inspect.iscoroutinefunction(method) else plain)


def main() -> None:
    """Plant the crash, then become the connector."""
    step, _, side = os.environ["CRASH_AT"].partition(":")
    owner, _, method = step.partition(".")
    plant(_OWNERS[owner], method, after=side == "after", count=int(os.environ["CRASH_COUNT"]))
    runpy.run_module("connector", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
