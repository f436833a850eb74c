"""
Coverage: up to when `orders.v1` is known to hold every order of a wallet, on `coverage.v1` (compacted).

It is the connector's checkpoint: written after the orders it covers are acknowledged, read by whoever owns the
wallet next. Times are unix milliseconds by the provider's clock.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from connector.contract.codec import decode
from connector.contract.gap import Cause

COVERAGE_SCHEMA: Final = 1

Standing = Literal["live", "down", "no-room", "refused"]
"""live: a socket delivers the wallet's orders. down: none does at the moment. no-room: the quota is used up."""


class OpenGap(msgspec.Struct, frozen=True, kw_only=True):
    """A gap under repair; whoever takes the wallet over goes on with it."""

    gap_id: str
    cause: Cause
    start_ms: int
    recovered: int = 0
    duplicates: int = 0


class CoverageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Value of `coverage.v1`; a tombstone follows the end of the watch."""

    schema: Literal[1] = COVERAGE_SCHEMA
    wallet: str
    standing: Standing
    owner: str
    """Name of the replica that owns the wallet."""
    subscription: str | None = None
    """The provider's id of a subscription that delivers it."""
    live_since_ms: int | None = None
    since_ms: int | None = None
    """Orders executed before are not wanted: the watch began then, or reaches back to then; None: not known."""
    covered_until_ms: int
    """Every order executed before is in `orders.v1`, as far as sockets and REST gave it. An open gap holds it."""
    verified_until_ms: int
    """Every order executed before was also compared with REST."""
    last_order_ms: int | None = None
    """When the latest order was executed, by its timestamp."""
    gap: OpenGap | None = None
    at_ms: int
    """When this was written."""


_decoder = msgspec.json.Decoder(CoverageRecord)


def decode_coverage(value: bytes) -> CoverageRecord:
    """
    Read a value of `coverage.v1`.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    return decode(_decoder, value)
