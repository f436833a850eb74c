"""What an encoded wallet tells without being decoded: a restore looks at each of them, and most are never used."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streams.stats.buckets import NEVER
from streams.stats.codec import StateCodec
from streams.stats.wallet import SCHEMA


class Glance(NamedTuple):
    """What can be told of an encoded value without decoding all of it."""

    due: int | None
    """Milliseconds at which its statistics first change by themselves after its clock; None: never."""
    ruled: bool
    """Whether rules remember anything."""
    clock: int
    """Milliseconds of the log's clock that it was advanced to."""


_NOTHING = msgspec.Raw(b"")
_NO_RULES = msgspec.msgpack.encode({})


class _Windows(msgspec.Struct, array_like=True, gc=False):
    """The first fields of `Windows`; what follows is skipped."""

    clock: int = 0
    due: int = NEVER


class _Wallet(msgspec.Struct, array_like=True, gc=False):
    """The fields of `WalletState`, in its order; those that nobody looks at are not decoded."""

    windows: _Windows = msgspec.field(default_factory=_Windows)
    exposures: msgspec.Raw = _NOTHING
    recent: msgspec.Raw = _NOTHING
    late: msgspec.Raw = _NOTHING
    squares_high: msgspec.Raw = _NOTHING
    squares_low: msgspec.Raw = _NOTHING
    rules: msgspec.Raw = _NOTHING
    older: msgspec.Raw = _NOTHING
    sizes: msgspec.Raw = _NOTHING
    positions: msgspec.Raw = _NOTHING
    first_seen: msgspec.Raw = _NOTHING
    clock: int = 0


_codec = StateCodec(_Wallet, schema=SCHEMA, oldest=SCHEMA)


def glance_at_wallet(value: bytes) -> Glance:
    """Look into a value of the state topic; raises like `WalletState.decode`."""
    wallet = _codec.decode(value)
    due = wallet.windows.due
    return Glance(None if due == NEVER else due * 1_000, bytes(wallet.rules) != _NO_RULES, wallet.clock)
