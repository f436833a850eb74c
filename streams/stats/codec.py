"""State values: MessagePack behind one byte of schema version."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from connector.contract.errors import ContractError, InvalidRecord

T = TypeVar("T")


class NewerState(ContractError):
    """A state was written by a newer version of this program, which alone may go on with it."""


class StateCodec(Generic[T]):
    """
    Encode and decode the values of one state topic.

    Writes `schema`; reads it and those before, from `oldest` on, whose values lack the fields added since.
    """

    def __init__(self, kind: type[T], *, schema: int, oldest: int | None = None) -> None:
        self._name = kind.__name__
        self._schema = schema
        self._oldest = schema if oldest is None else oldest
        self._prefix = bytes((schema,))
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def encode(self, state: T) -> bytes:
        """Return schema byte and state."""
        return self._prefix + self._encode(state)

    def decode(self, value: bytes) -> T:
        """
        Read a state.

        Raises:
            NewerState: its schema is newer than this program's.
            InvalidRecord: it is no such state.
        """
        schema = value[0] if value else 0
        if schema > self._schema:
            raise NewerState(
                f"{self._name} has schema {schema}, this program knows {self._schema}:"
                " roll out the newer version before it takes over"
            )
        if schema < self._oldest:
            raise InvalidRecord(f"{self._name}: expected schema {self._oldest} to {self._schema}, got {schema}")
        try:
            return self._decode(memoryview(value)[1:])
        except msgspec.DecodeError as error:
            raise InvalidRecord(f"{self._name}: {error}") from error
