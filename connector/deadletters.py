"""Dead letters: what an unusable frame still tells, and how many are too many. Pure."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_ADDRESS = re.compile(rb"0x[0-9a-f]{40}(?![0-9a-f])")
_TRANSACTION = re.compile(rb'"tx_hash"\s*:\s*"(0x[0-9a-f]{64})"')


def suspects(raw: bytes, wallets: Container[str]) -> tuple[set[str], set[str]]:
    """
    Return what the bytes of an unusable frame name: watched wallets and whole transaction hashes, in lower case.

    An order of these wallets may be lost with the frame, unless REST shows these transactions.
    """
    lowered = raw.lower()
    addresses = {match.decode() for match in _ADDRESS.findall(lowered)}
    transactions = {match.decode() for match in _TRANSACTION.findall(lowered)}
    return {address for address in addresses if address in wallets}, transactions


class DeadLimit:
    """
    Tells when so much cannot be read that the fault is ours, and stopping beats a topic of dead letters.

    Args:
        limit: Dead letters that are bearable within the window.
        window_s: Seconds.
    """

    def __init__(self, limit: int, window_s: float = 60.0) -> None:
        self._window_s = window_s
        self._latest: deque[float] = deque(maxlen=limit + 1)

    def count(self, now: float) -> bool:
        """Count a dead letter at `now`, in seconds; return whether that is more than the limit within the window."""
        self._latest.append(now)
        return len(self._latest) == self._latest.maxlen and now - self._latest[0] < self._window_s
