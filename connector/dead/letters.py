"""Dead letters as they lie in the topic, and the choice among them. Pure."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table
from rich.text import Text

from connector.contract.errors import InvalidRecord
from connector.contract.record import DeadRecord, decode_dead
from connector.texts import moment, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

UNREADABLE = "unreadable-letter"
"""The reason shown for a letter that is itself no record of the contract."""

_USER = re.compile(rb'"user"\s*:\s*"(0x[0-9a-f]{40})"')


class Letter(msgspec.Struct, frozen=True):
    """One dead letter."""

    partition: int
    offset: int
    at_ms: int
    """When it was written, unix milliseconds."""
    wallet: str | None
    """As far as its key or its bytes tell."""
    record: DeadRecord | None
    fault: str = ""
    """Why there is no record."""

    @property
    def place(self) -> str:
        """Partition and offset, as `--partition` and `--offset` take them."""
        return f"{self.partition}:{self.offset}"

    @property
    def reason(self) -> str:
        """The stable code."""
        return UNREADABLE if self.record is None else self.record.reason

    @property
    def raw(self) -> bytes:
        """The bytes that could not be processed."""
        return b"" if self.record is None else base64.b64decode(self.record.raw)


def read_letter(*, partition: int, offset: int, at_ms: int, key: bytes | None, value: bytes | None) -> Letter:
    """Return the letter that a record holds; one that cannot be read says so."""
    wallet = None if key is None else key.decode("ascii", "replace")
    try:
        record = decode_dead(value or b"")
        raw = base64.b64decode(record.raw, validate=True)
    except (InvalidRecord, ValueError) as error:
        return Letter(partition, offset, at_ms, wallet, None, str(error))
    found = None if wallet else _USER.search(raw.lower())
    return Letter(partition, offset, at_ms, found[1].decode() if found else wallet, record)


def table(letters: Sequence[Letter], total: int) -> Table:
    """Return the letters for people, of `total` that there are."""
    more = "" if total == len(letters) else f", the latest {len(letters)} of {total}"
    drawn = Table(title=f"dead letters{more}", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for head in ("letter", "when (UTC)", "reason", "field", "wallet"):
        drawn.add_column(head, no_wrap=True)
    drawn.add_column("detail", overflow="fold")
    for letter in letters:
        field = (letter.record and letter.record.field) or ""
        detail = letter.fault if letter.record is None else letter.record.detail
        texts = (letter.place, moment(letter.at_ms), letter.reason, field, letter.wallet or "", detail)
        drawn.add_row(*(Text(plain(text)) for text in texts))
    return drawn


def as_json(letters: Sequence[Letter]) -> bytes:
    """Return the letters for programs: an array; `letter` is the record as on the topic."""
    rows: list[dict[str, Any]] = [
        {
            "partition": letter.partition,
            "offset": letter.offset,
            "at_ms": letter.at_ms,
            "wallet": letter.wallet,
            "letter": letter.record,
        }
        for letter in letters
    ]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2)
