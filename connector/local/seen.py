"""A record as any consumer sees it. Pure."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from connector.contract.provenance import header_ns


class Seen(NamedTuple):
    """One record read from a topic."""

    partition: int
    offset: int
    timestamp_ms: int
    """Unix milliseconds: of arrival at the broker where the topic says so, else of sending."""
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def since_wire_ms(self, header: str | None = None) -> float | None:
        """
        Return the milliseconds from the socket to here, or None when the headers do not tell.

        `header` names the time that counts as here; None: the record's timestamp, in whole milliseconds.
        """
        received = header_ns(self.headers, "received_ns")
        here = self.timestamp_ms * 1_000_000 if header is None else header_ns(self.headers, header)
        if received is None or here is None:
            return None
        return max(0.0, (here - received) / 1e6)


def quantile(values: list[float], q: float) -> float | None:
    """Return the smallest value that at least the share `q` of the values do not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, ceil(q * len(ordered)) - 1)]
