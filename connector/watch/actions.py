"""What the actions on the watch-list do. Shell."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from connector.kafka.errors import ClusterUnreachable
from connector.process.terminal import terminal
from connector.watch.listed import as_json
from connector.watch.table import table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from connector.contract.watch import WatchRecord
    from connector.watch.entries import Entry
    from connector.watch.listed import Listed
    from connector.watch.store import WatchStore

_KAFKA_TIMEOUT_S = 60.0
_POLL_S = 0.5


async def add(entries: Sequence[Entry], store: WatchStore) -> int:
    """Write the entries that change anything."""
    async with _answering():
        await store.ensure()
        known = (await store.refresh()).watch.values
        changes: dict[str, WatchRecord | None] = {}
        for entry in entries:
            record = entry.over(known.get(entry.wallet))
            if record != known.get(entry.wallet):
                changes[entry.wallet] = record
        await store.write(changes)
    added = sum(wallet not in known for wallet in changes)
    sys.stdout.write(
        f"{added} added, {len(changes) - added} changed, {len(entries) - len(changes)} already as they should be\n"
    )
    return 0


async def remove(wallets: Sequence[str], store: WatchStore) -> int:
    """End the watch of those that are on the list, and name those that are not."""
    async with _answering():
        listed = await store.refresh()
        ended = [wallet for wallet in wallets if wallet in listed.watch.values]
        await store.write(dict.fromkeys(ended))
    for wallet in wallets:
        if wallet not in ended:
            by_settings = wallet in listed.coverage.values
            hint = ", the connector's settings name it (WALLETS, WALLETS_FILE)" if by_settings else ""
            sys.stderr.write(f"{wallet} is not on the list{hint}\n")
    sys.stdout.write(f"{len(ended)} removed\n")
    return 0 if len(ended) == len(wallets) else 1


async def show(store: WatchStore, *, wait_s: float | None, form: Literal["json", "table"]) -> int:
    """Show the list, after at most `wait_s` seconds of waiting until every wallet on it is live."""
    async with _answering():
        listed = await store.refresh()
    missing = [] if wait_s is None else await _waited(store, listed, wait_s)
    if form == "json":
        sys.stdout.buffer.write(as_json(listed.rows()) + b"\n")
    else:
        console = terminal()
        console.print(table(listed.rows(), now_ms=_now_ms(), width=console.width))
    for line in listed.faults:
        sys.stderr.write(f"{line}\n")
    if missing:
        sys.stderr.write(f"not live after {wait_s:g} s: {', '.join(missing)}\n")
    return 1 if missing else 0


async def _waited(store: WatchStore, listed: Listed, wait_s: float) -> list[str]:
    """Return the wallets that are still not live when time is up."""
    deadline = time.monotonic() + wait_s
    while (missing := listed.waiting(_now_ms())) and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_S)
        async with _answering():
            await store.refresh()
    return missing


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Let Kafka take its time, but not for ever."""
    try:
        async with asyncio.timeout(_KAFKA_TIMEOUT_S):
            yield
    except TimeoutError as error:
        raise ClusterUnreachable(f"Kafka stopped answering: nothing came for {_KAFKA_TIMEOUT_S:.0f} s") from error


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
