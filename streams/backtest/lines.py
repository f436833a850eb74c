"""
Lines of a file of orders, to records of `orders.v1`.

A line is an order of the contract (a value of `orders.v1`) or a row of a provider, as JSON. What
`kafka-console-consumer --property print.timestamp=true` puts before it (`LogAppendTime:` and unix milliseconds, a tab)
is its append time; without that it counts as appended at the second of its order.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from connector.contract.errors import InvalidOrder, InvalidRecord
from connector.contract.identity import content_id
from connector.contract.keys import wallet_key
from connector.contract.order import parse_order
from connector.contract.record import encode, order_record
from streams.replay import Record

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS: Final = [("source", b"ws")]
"""A file does not say how its orders arrived."""

_STAMP = re.compile(rb"(?:LogAppendTime|CreateTime):(\d{10,16})\t")
_JSON: Final = msgspec.json.Decoder()


class _Head(msgspec.Struct):
    """The fields that say where a line belongs."""

    timestamp: int
    user: str
    event_id: str = ""


_head = msgspec.json.Decoder(_Head)


class Line(NamedTuple):
    """A line that was taken apart."""

    at_ms: int
    stamped: bool
    """Whether the line itself says when it was appended."""
    value: bytes
    head: _Head


def read_line(line: bytes) -> Line:
    """
    Take a line apart.

    Raises:
        InvalidRecord: no JSON object with a time and a user.
    """
    match = _STAMP.match(line)
    value = line[match.end() :] if match else line
    try:
        head = _head.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRecord(f"no order: {error}") from error
    return Line(int(match[1]) if match else head.timestamp * 1_000, match is not None, value, head)


class Appender:
    """Makes the records that a topic would hold; feed the lines in the order of their append times."""

    def __init__(self, topic: str, partition: Callable[[bytes], int]) -> None:
        self._topic = topic
        self._partition = partition
        self._next: dict[int, int] = defaultdict(int)
        self._second = 0
        self._seen: Counter[str] = Counter()

    def append(self, line: Line) -> Record:
        """
        Return the record of a line.

        Raises:
            InvalidRecord: a provider's row breaks the contract. A bad order of the contract is left to the fold.
        """
        head = line.head
        value = line.value.strip() if head.event_id else self._of_row(line)
        try:
            key = wallet_key(head.user)
        except UnicodeEncodeError as error:
            raise InvalidRecord(f"user: no address: {error}") from error
        partition = self._partition(key)
        offset = self._next[partition]
        self._next[partition] += 1
        return Record(self._topic, partition, offset, line.at_ms, key, value, HEADERS)

    def _of_row(self, line: Line) -> bytes:
        try:
            order = parse_order(_JSON.decode(line.value))
        except InvalidOrder as error:
            raise InvalidRecord(str(error)) from error
        if order.timestamp != self._second:  # equal fills are of one transaction, hence of one block and second
            self._second = order.timestamp
            self._seen.clear()
        content = content_id(order)
        self._seen[content] += 1
        return encode(order_record(order, content, self._seen[content] - 1))
