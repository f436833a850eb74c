"""
Gaps: intervals in which orders of a wallet may be missing from `orders.v1`, on `gaps.v1`.

A gap is reported when it opens, when its repair begins, and when it ends. Reports of one gap share `gap_id` and may
be repeated; the last one counts, and of a gap that ends at once it is the only one. Times are unix milliseconds by the
provider's clock.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from connector.contract.codec import decode

GAP_SCHEMA: Final = 1

GapState = Literal["opened", "filling", "closed", "unrecoverable"]

Cause = Literal[
    "added",
    "start",
    "handover",
    "stale-checkpoint",
    "disconnect",
    "silence",
    "stall",
    "refused",
    "resubscribed",
    "bad-frame",
    "twin",
    "old-order",
    "silent-loss",
    "audit",
]
"""
Why orders may be missing.

added: the watch begins, with or without `since`. start, handover: the owner of the wallet changed, after an unclean and
a clean end. stale-checkpoint: the same, long after the last checkpoint. disconnect: the connection ended.
silence: it was half open, nothing came for long. stall: we did not read for long. refused: the provider ended or
refused the subscription. resubscribed: the wallet moved between subscriptions. bad-frame: a frame could not be read.
twin: a second equal fill without log_index. old-order: an order older than the memory of what was published.
silent-loss: a routine comparison with REST found orders that the socket never brought. audit: an audit found that the
topic lacks an order which counted as published.
"""


class GapRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `gaps.v1`."""

    schema: Literal[1] = GAP_SCHEMA
    gap_id: str
    wallet: str
    state: GapState
    cause: Cause
    """Of the opening; a gap that is open when something else goes wrong grows and keeps it."""
    start_ms: int
    end_ms: int | None = None
    """None while no socket delivers the wallet's orders."""
    recovered: int = 0
    """Orders published by the repair."""
    duplicates: int = 0
    """Rows of the repair that were published already."""
    detail: str | None = None
    """For people: why it is unrecoverable, and what REST withheld."""
    owner: str
    """Name of the replica."""
    at_ms: int
    """When this was reported."""


_decoder = msgspec.json.Decoder(GapRecord)


def decode_gap(value: bytes) -> GapRecord:
    """
    Read a value of `gaps.v1`.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    return decode(_decoder, value)
