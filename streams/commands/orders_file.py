"""Orders from a file, in the order in which the topic would hold them. Shell over `streams.backtest.lines`."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from connector.contract.errors import InvalidRecord
from streams.backtest.lines import Appender, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from streams.replay import Record

_BATCH = 1_000


class OrdersFile:
    """
    A file of orders, read once to learn its order in time, and again for its records.

    Only 16 bytes of each line stay in memory.
    """

    def __init__(self, path: Path) -> None:
        """Take note of the times of all lines; raises OSError."""
        self._path = path
        self._stamps = array("q")
        self._places = array("q")
        self.unstamped = 0
        """Lines that do not say when they were appended."""
        self.faults: Counter[str] = Counter()
        """Lines that are no orders, by what is wrong."""
        self._first_fault: int | None = None
        with path.open("rb") as file:
            self._scan(file)

    @property
    def total(self) -> int:
        """Lines that are orders, as far as can be seen without reading all of them."""
        return len(self._stamps)

    def _scan(self, file: BinaryIO) -> None:
        place = 0
        for text in file:
            if text.strip():
                try:
                    line = read_line(text)
                except InvalidRecord as error:
                    self._fault(error, place)
                else:
                    self._stamps.append(line.at_ms)
                    self._places.append(place)
                    self.unstamped += not line.stamped
            place += len(text)

    def _fault(self, error: InvalidRecord, place: int) -> None:
        self.faults[str(error)] += 1
        self._first_fault = place if self._first_fault is None else min(place, self._first_fault)

    def _number(self, place: int) -> int:
        """Return the number, from 1, of the line that begins at a byte."""
        with self._path.open("rb") as file:
            return file.read(place).count(b"\n") + 1

    def batches(self, topic: str, partition: Callable[[bytes], int]) -> Iterator[list[Record]]:
        """Yield the records in the order of their append times, and of the file within one."""
        appender = Appender(topic, partition)
        batch: list[Record] = []
        with self._path.open("rb") as file:
            for place in self._in_time():
                if file.tell() != place:
                    file.seek(place)
                try:
                    batch.append(appender.append(read_line(file.readline())))
                except InvalidRecord as error:
                    self._fault(error, place)
                if len(batch) == _BATCH:
                    yield batch
                    batch = []
        yield batch

    def _in_time(self) -> Iterator[int]:
        stamps = self._stamps
        if all(stamps[place] <= stamps[place + 1] for place in range(len(stamps) - 1)):
            yield from self._places
        else:
            for index in sorted(range(len(stamps)), key=stamps.__getitem__):
                yield self._places[index]

    def notes(self) -> list[str]:
        """Return what has to be assumed of the orders."""
        assumed = []
        if self.unstamped:
            assumed.append(
                f"{self.unstamped:,} of {self.total:,} orders do not say when they were appended: taken as appended in"
                " the second they were executed, in the order of the file within it, so none of them is late"
            )
        assumed.append(
            "a file has no headers: orders count as live (source ws), with complete coverage, of wallets without label"
        )
        return assumed + self.left_out()

    def left_out(self) -> list[str]:
        """Return what is to be said of lines that are no orders."""
        if self._first_fault is None:
            return []
        reason, _ = self.faults.most_common(1)[0]
        number = self._number(self._first_fault)
        told = f"{self.faults.total():,} lines are no orders and were left out, the first is line {number}"
        return [f"{told}; most often: {reason}"]
