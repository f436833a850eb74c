"""
The position record: which source records a shard's state has absorbed.

It lies in the state topic beside the values, written in the same transaction, so that state and
position can never disagree.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from streams.stats.codec import NewerState

POSITION_SCHEMA: Final = 1
POSITION_KEY: Final = b"\x00position"
"""Sorts before, and never equals, a wallet or a condition id."""


SCORE_KEY: Final = b"\x00score|"
"""Begins the keys of the scores beside it, see `streams.scores`."""


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Everything a shard needs besides its values to go on where it stopped."""

    schema: int
    offset: int
    """Last source offset absorbed; -1 before the first."""
    fingerprint: str
    """Of the record at that offset: tells a recreated topic from the one that was read."""
    clock: int
    """Log clock, unix milliseconds."""
    errors: dict[int, int] = {}
    """Rule number -> evaluations without a value, see `streams.rules.ruleset`."""
    quiet_before: int = 0
    """Records appended before (ms) were there long before the first worker: they fill statistics and tip no alert."""


START: Final = Position(POSITION_SCHEMA, -1, "", 0)

_decoder = msgspec.msgpack.Decoder(Position)


def fingerprint(key: bytes | None, value: bytes | None) -> str:
    """Return 16 hex digits that tell one source record from another."""
    return hashlib.blake2b((key or b"") + b"\x00" + (value or b""), digest_size=8).hexdigest()


def encode_position(position: Position) -> bytes:
    """Return the value of the position record."""
    return msgspec.msgpack.encode(position)


def decode_position(value: bytes) -> Position:
    """
    Read a position record.

    Raises:
        NewerState: its schema is newer than this worker's; roll out readers first.
    """
    fields = msgspec.msgpack.decode(value)
    if fields[0] > POSITION_SCHEMA:
        raise NewerState(
            f"state has position schema {fields[0]}, this worker knows {POSITION_SCHEMA}: upgrade the worker"
        )
    return _decoder.decode(value)
