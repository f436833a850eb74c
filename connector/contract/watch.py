"""The watch-list: one record per wallet on `watchlist.v1`; a tombstone (null value) ends the watch."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from connector.contract.codec import decode

WATCH_SCHEMA: Final = 1


class WatchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `watchlist.v1`. The key names the wallet; the value repeats it, for people."""

    schema: Literal[1] = WATCH_SCHEMA
    wallet: str
    """Address in lower case."""
    label: str | None = None
    note: str | None = None
    since: int | None = None
    """Unix seconds from which orders are fetched when the watch begins; None: from when the record was written."""


_decoder = msgspec.json.Decoder(WatchRecord)


def decode_watch(value: bytes) -> WatchRecord:
    """
    Read a value of `watchlist.v1`.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    return decode(_decoder, value)
