from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.shards.position import (
    POSITION_SCHEMA,
    Position,
    decode_position,
    encode_position,
    fingerprint,
)
from streams.stats.codec import NewerState


@given(st.builds(Position, st.just(POSITION_SCHEMA), st.integers(-1, 2**62), st.text(), st.integers(0, 2**62)))
def test_a_position_survives_the_state_topic(position: Position) -> None:
    """Encoding and decoding give the same position back."""
    assert decode_position(encode_position(position)) == position


def test_a_newer_schema_is_refused_by_name() -> None:
    """A worker that cannot read the state must not take it over, even when newer fields follow."""
    newer = msgspec.msgpack.encode([POSITION_SCHEMA + 1, 5, "x", 7, {"unknown": 1}])
    with pytest.raises(NewerState, match="upgrade the worker"):
        decode_position(newer)


@given(st.tuples(st.binary(), st.binary()), st.tuples(st.binary(), st.binary()))
def test_fingerprints_tell_records_apart(one: tuple[bytes, bytes], other: tuple[bytes, bytes]) -> None:
    """Different values have different fingerprints, the same record the same."""
    assert fingerprint(*one) == fingerprint(*one)
    if one[1] != other[1] and one[0] == other[0]:
        assert fingerprint(*one) != fingerprint(*other)


def test_a_tombstone_has_a_fingerprint() -> None:
    """Poison may be a record without key or value."""
    assert len(fingerprint(None, None)) == 16
