"""Dead letters of records that cannot be decoded. Pure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from connector.contract.record import MAX_RAW, DeadRecord, encode
from streams.effects import LogRecord, Output, set_headers

if TYPE_CHECKING:
    from connector.contract.errors import InvalidRecord

DETAIL_CHARACTERS = 2_000
"""Most of what is said about a bad record, since that may quote it."""

AROUND_BYTES = 64 * 1024
"""Most of a bad record's key and headers together that its dead letter keeps."""


def dead_letter(topic: str, record: LogRecord, error: InvalidRecord, admitted_ns: int) -> Output:
    """Return a letter that Kafka takes whatever the record's size is; `origin` says where the whole of it lies."""
    raw = record.value or b""
    letter = DeadRecord(
        reason="bad-record",
        detail=str(error)[:DETAIL_CHARACTERS],
        raw=base64.b64encode(raw[:MAX_RAW]).decode("ascii"),
        size=len(raw) if len(raw) > MAX_RAW else None,
        origin=f"{record.topic}/{record.partition}/{record.offset}",
        received_ns=admitted_ns,
    )
    headers = set_headers(record)
    around = len(record.key or b"") + sum(len(name) + len(value) for name, value in headers)
    if around > AROUND_BYTES:
        return Output(topic, None, encode(letter), [], letter)
    return Output(topic, record.key, encode(letter), headers, letter)
