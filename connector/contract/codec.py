"""JSON of our topics' values, one way for all of them."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from connector.contract.errors import InvalidRecord

T = TypeVar("T")
_encoder = msgspec.json.Encoder()


def encode(record: msgspec.Struct) -> bytes:
    """Return the record as compact JSON."""
    return _encoder.encode(record)


def decode(decoder: msgspec.json.Decoder[T], value: bytes) -> T:
    """
    Read a value of the decoder's kind.

    Raises:
        InvalidRecord: not JSON, a field missing or mistyped, or another schema version.
    """
    try:
        return decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRecord(str(error)) from error
