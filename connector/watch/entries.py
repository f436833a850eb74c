"""Wallets to watch as people give them, one by one or in a file. Pure."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

import msgspec

from connector.contract.address import parse_address
from connector.contract.errors import InvalidAddress
from connector.contract.watch import WatchRecord
from connector.watch.since import InvalidSince, parse_since

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_LABEL: Final = 100
MOST_NOTE: Final = 1_000

_COLUMNS: Final = ("wallet", "label", "note", "since")
_NAMES: Final = {"address": "wallet", "name": "label"}
_DELIMITERS: Final = ("\t", ";", ",")


class Entry(msgspec.Struct, frozen=True):
    """A wallet somebody wants watched; None: as it is on the list already, "": none."""

    wallet: str
    label: str | None = None
    note: str | None = None
    since: int | None = None
    """Unix seconds."""

    def over(self, known: WatchRecord | None) -> WatchRecord:
        """Return the record to write, given the one on the list."""
        known = known or WatchRecord(wallet=self.wallet)
        return WatchRecord(
            wallet=self.wallet,
            label=known.label if self.label is None else self.label or None,
            note=known.note if self.note is None else self.note or None,
            since=known.since if self.since is None else self.since,
        )


class BadLine(msgspec.Struct, frozen=True):
    """A line of a file that cannot be used."""

    number: int
    """From 1."""
    reason: str


class InvalidEntry(ValueError):
    """A label or a note that is none; the message says why."""


def make_entry(
    wallet: str, *, label: str | None = None, note: str | None = None, since: str | None = None, now_s: int
) -> Entry:
    """
    Return a checked entry.

    Raises:
        InvalidAddress, InvalidSince, InvalidEntry: what is wrong with which of them.
    """
    return Entry(
        wallet=parse_address(wallet),
        label=_text("label", label, MOST_LABEL),
        note=_text("note", note, MOST_NOTE),
        since=parse_since(since, now_s) if since else None,
    )


def parse_file(text: str, now_s: int) -> tuple[list[Entry], list[BadLine]]:
    """
    Return the entries of a file, and its bad lines.

    A line is a wallet, then label, note and since where wanted, with commas, semicolons or tabs between and quotes
    where needed. A first line that names the columns may choose others. `#` begins a comment.
    """
    entries: dict[str, Entry] = {}
    bad: list[BadLine] = []
    seen: dict[str, int] = {}
    for number, cells in _rows(text):
        if isinstance(cells, str):
            bad.append(BadLine(number, cells))
            continue
        try:
            entry = _entry(cells, now_s)
        except (InvalidAddress, InvalidSince, InvalidEntry) as error:
            bad.append(BadLine(number, str(error)))
            continue
        if entries.setdefault(entry.wallet, entry) is not entry:
            bad.append(BadLine(number, f"{entry.wallet} is on line {seen[entry.wallet]} already"))
        seen.setdefault(entry.wallet, number)
    return list(entries.values()), bad


def _entry(cells: Mapping[str, str], now_s: int) -> Entry:
    label, note, since = (cells.get(name) or None for name in ("label", "note", "since"))
    return make_entry(cells["wallet"], label=label, note=note, since=since, now_s=now_s)


def _rows(text: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Yield the number of each row and its cells by column, or what is wrong with it."""
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    reader = csv.reader(lines, delimiter=next((each for each in _DELIMITERS if each in first), ","), strict=True)
    columns: Sequence[str] | None = None
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, f"is no line of columns: {error}"
            continue
        if not any(cells) or cells[0].startswith("#"):
            continue
        if columns is None:
            columns = _header(cells) or _COLUMNS
            if columns is not _COLUMNS:
                continue
        yield reader.line_num, _named(columns, cells)


def _header(cells: Sequence[str]) -> list[str] | None:
    names = [_NAMES.get(cell.lower(), cell.lower()) for cell in cells]
    return names if "wallet" in names else None


def _named(columns: Sequence[str], cells: Sequence[str]) -> Mapping[str, str] | str:
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        return f"has {len(cells)} columns, expected {len(columns)} at most: quote a text that holds the delimiter"
    named = dict(zip(columns, cells, strict=False))
    return {"wallet": ""} | named


def _text(name: str, value: str | None, most: int) -> str | None:
    if value is None:
        return None
    if len(value) > most:
        raise InvalidEntry(f"the {name} has {len(value)} characters, at most {most} are kept")
    if not all(each.isprintable() or each == "\n" for each in value):
        raise InvalidEntry(f"the {name} holds characters that cannot be printed")
    return value.strip()
