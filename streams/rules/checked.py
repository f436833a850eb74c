"""
The expression tree that CEL made and type-checked, read from its serialized form.

Only the part that rules can be translated from: constants, variables, calls, lists. The numbers
are field numbers of `cel.expr.CheckedExpr` (checked.proto, syntax.proto).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

Wire = int | bytes
"""A field's value: a number, or what is inside it."""


class Unsupported(Exception):
    """The expression uses something that is left to CEL itself."""


class Constant(NamedTuple):
    """A literal."""

    value: bool | float | str


class Name(NamedTuple):
    """A variable, with its dots."""

    name: str


class Call(NamedTuple):
    """An operator or function; the overload names the types, such as `greater_double`."""

    overload: str
    arguments: tuple[Node, ...]


class Items(NamedTuple):
    """A list."""

    items: tuple[Node, ...]


Node = Constant | Name | Call | Items


def read_checked(serialized: bytes) -> Node:
    """
    Return the tree of a serialized expression.

    Raises:
        Unsupported: it has parts that this module does not know.
    """
    checked = _one(serialized, 2)
    overloads = {}
    for reference in _all(checked, 2):
        names = _all(_one(reference, 2), 3)
        if len(names) == 1:
            overloads[_number(reference, 1)] = names[0].decode()
    return _node(_one(checked, 4), overloads)


def referenced(serialized: bytes) -> set[str]:
    """Return the names of all variables of a serialized expression, also of one that has other parts."""
    return {_one(_one(reference, 2), 1).decode() for reference in _all(_one(serialized, 2), 2)}


def _node(expression: bytes, overloads: dict[int, str]) -> Node:
    fields = dict(_fields(expression))
    if 3 in fields:
        return Constant(_constant(_bytes(fields[3])))
    if 4 in fields:
        return Name(_one(_bytes(fields[4]), 1).decode())
    if 7 in fields:
        return Items(tuple(_node(item, overloads) for item in _all(_bytes(fields[7]), 1)))
    overload = overloads.get(_number(expression, 2))
    if 6 not in fields or overload is None:
        raise Unsupported
    call = _bytes(fields[6])
    parts = _all(call, 1) + _all(call, 3)
    return Call(overload, tuple(_node(part, overloads) for part in parts))


def _constant(constant: bytes) -> bool | float | str:
    for field, value in _fields(constant):
        if field == 2:
            return bool(value)
        if field == 3 and isinstance(value, int):
            return value - (1 << 64) if value >> 63 else value
        if field == 5 and isinstance(value, bytes):
            return float(struct.unpack("<d", value)[0])
        if field == 6 and isinstance(value, bytes):
            return value.decode()
    raise Unsupported


def _fields(message: bytes) -> Iterator[tuple[int, Wire]]:
    """Yield field numbers and values of a protobuf message."""
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        kind = tag & 7
        if kind == 0:
            number, place = _varint(message, place)
            yield tag >> 3, number
            continue
        size, place = (8, place) if kind == 1 else _varint(message, place)
        yield tag >> 3, message[place : place + size]
        place += size


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7


def _bytes(value: Wire) -> bytes:
    if isinstance(value, int):
        raise Unsupported
    return value


def _all(message: bytes, field: int) -> list[bytes]:
    return [_bytes(value) for number, value in _fields(message) if number == field]


def _one(message: bytes, field: int) -> bytes:
    found = _all(message, field)
    return found[0] if found else b""


def _number(message: bytes, field: int) -> int:
    return next((value for number, value in _fields(message) if number == field and isinstance(value, int)), 0)
