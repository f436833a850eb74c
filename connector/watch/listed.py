"""What the watch-list and coverage say of each wallet, as state that grows by their records. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import msgspec

from connector.contract.address import parse_address
from connector.contract.coverage import CoverageRecord, decode_coverage
from connector.contract.errors import InvalidAddress, InvalidRecord
from connector.contract.watch import WatchRecord, decode_watch
from connector.texts import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

R = TypeVar("R")

STALE_MS: Final = 60_000
"""An owner that said nothing of a wallet for so long may be gone."""


class Row(msgspec.Struct, frozen=True):
    """A wallet that is on the list or watched."""

    wallet: str
    watch: WatchRecord | None
    """None: it is not on the list; the connector's own settings name it."""
    coverage: CoverageRecord | None
    """None: nobody watches it yet."""

    def live(self, now_ms: int) -> bool:
        """Return whether a socket delivers its orders, by news of the last minute."""
        return self.coverage is not None and self.coverage.standing == "live" and not self.stale(now_ms)

    def stale(self, now_ms: int) -> bool:
        """Return whether its owner was last heard of too long ago."""
        return self.coverage is not None and now_ms - self.coverage.at_ms > STALE_MS


class _Latest(Generic[R]):
    """The latest value of each wallet on a compacted topic, and the latest records that cannot be read."""

    def __init__(self, name: str, decode: Callable[[bytes], R]) -> None:
        self._name = name
        self._decode = decode
        self.values: dict[str, R] = {}
        self.faults: dict[bytes | None, str] = {}

    def absorb(self, key: bytes | None, value: bytes | None) -> None:
        """Take in one record: a tombstone ends what the key stands for, what cannot be read changes nothing."""
        wallet = _wallet(key)
        self.faults.pop(key, None)
        if value is None:
            self.values.pop(wallet or "", None)
        elif wallet is None:
            self.faults[key] = f"{self._name}: a record's key is no wallet in lower case: {_shown(key)}"
        else:
            try:
                self.values[wallet] = self._decode(value)
            except InvalidRecord as error:
                self.faults[key] = plain(f"{self._name}: a record of {wallet} cannot be read, it is ignored: {error}")


class Listed:
    """The watch-list with coverage; `absorb` the records of both, in order by partition."""

    def __init__(self) -> None:
        self.watch = _Latest("watch-list", decode_watch)
        self.coverage = _Latest("coverage", decode_coverage)

    @property
    def faults(self) -> list[str]:
        """For people: the latest records that cannot be read."""
        return [*self.watch.faults.values(), *self.coverage.faults.values()]

    def rows(self) -> list[Row]:
        """Return every wallet, in order of labels, then addresses."""
        wallets = sorted({*self.watch.values, *self.coverage.values}, key=self._order)
        return [Row(wallet, self.watch.values.get(wallet), self.coverage.values.get(wallet)) for wallet in wallets]

    def waiting(self, now_ms: int) -> list[str]:
        """Return the wallets on the list that are not live."""
        return [row.wallet for row in self.rows() if row.watch is not None and not row.live(now_ms)]

    def _order(self, wallet: str) -> tuple[bool, str, str]:
        watch = self.watch.values.get(wallet)
        label = (watch and watch.label) or ""
        return (not label, label.casefold(), wallet)


def as_json(rows: Iterable[Row]) -> bytes:
    """Return the rows for programs: an array of objects with `wallet`, `watch` and `coverage` as on the topics."""
    return msgspec.json.format(msgspec.json.encode(list(rows)), indent=2)


def _wallet(key: bytes | None) -> str | None:
    try:
        text = (key or b"").decode("ascii")
        return text if parse_address(text) == text else None
    except (UnicodeDecodeError, InvalidAddress):
        return None


def _shown(key: bytes | None) -> str:
    return "none" if key is None else plain(repr(key[:60]))
