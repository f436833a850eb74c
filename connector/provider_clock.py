"""
The provider's clock, read from the `Date` headers of its answers.

A `Date` is the second in which an answer was made, so it bounds how far the provider's clock is ahead of ours:
at least `Date - received`, less than `Date + 1 - sent`. Many answers narrow it down. Our own wall clock
is used until the first of them only, so that its jumps do no harm.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from math import inf

import msgspec

_DRIFT = 500e-6
"""Seconds per second by which two clocks may drift apart: old bounds widen by it."""
_UNBOUND_S = 0.5
"""Taken past the one bound while the other is unknown: the mean of a cut-off second."""
_STEP_MS = 5_000
"""A correction backwards by more is a clock that was wrong; less must not turn time back."""


class _Bounds(msgspec.Struct, frozen=True):
    """Provider's time minus ours, in seconds, as known at `at`."""

    low: float
    high: float
    at: float

    def aged(self, at: float) -> _Bounds:
        """Return the bounds as they hold at another time."""
        drift = abs(at - self.at) * _DRIFT
        return _Bounds(self.low - drift, self.high + drift, at)

    def narrowed(self, by: _Bounds) -> _Bounds | None:
        """Return what both allow; None when they contradict each other."""
        low, high = max(self.low, by.low), min(self.high, by.high)
        return _Bounds(low, high, by.at) if low <= high else None

    @property
    def offset(self) -> float:
        """The best guess."""
        return self.low + _UNBOUND_S if self.high == inf else (self.low + self.high) / 2


class ProviderClock:
    """
    Converts readings of our monotonic clock, in seconds, into the provider's time, in unix ms.

    Args:
        mono: A reading of the monotonic clock.
        wall_ms: Our own wall clock at that moment.
    """

    def __init__(self, mono: float, wall_ms: int) -> None:
        self._guess = wall_ms / 1000 - mono
        self._bounds: _Bounds | None = None
        self._doubt: _Bounds | None = None
        """The last observation, when it contradicted the earlier ones."""
        self._latest = (mono, wall_ms)
        """The latest reading and the time it was given, which must not turn back."""

    @property
    def synchronized(self) -> bool:
        """Whether the provider ever told its time."""
        return self._bounds is not None

    def observe(self, date_header: str, at_mono: float, sent_mono: float | None = None) -> None:
        """
        Take the `Date` of an answer received at `at_mono`, asked for at `sent_mono` if that is known.

        What is no date is ignored. One that contradicts the earlier ones counts when the next confirms it:
        a provider may have set its clock, but also have one server whose clock is wrong.
        """
        date = parse_date(date_header)
        if date is None:
            return
        high = inf if sent_mono is None else date + 1 - min(sent_mono, at_mono)
        seen = _Bounds(date - at_mono, high, at_mono)
        agreed = seen if self._bounds is None else self._bounds.aged(at_mono).narrowed(seen)
        if agreed is None and self._doubt is not None:
            agreed = self._doubt.aged(at_mono).narrowed(seen)
        if agreed is None:
            self._doubt = seen
        else:
            self._bounds, self._doubt = agreed, None

    def ms(self, at_mono: float) -> int:
        """
        Return the provider's time in unix ms at a reading of the monotonic clock.

        Later readings give later or equal times, unless the clock turns out to have been seconds ahead.
        """
        offset = self._guess if self._bounds is None else self._bounds.offset
        at_ms = round((at_mono + offset) * 1000)
        latest_mono, latest_ms = self._latest
        if at_mono < latest_mono:
            return min(at_ms, latest_ms)
        if latest_ms - _STEP_MS < at_ms < latest_ms:
            return latest_ms
        self._latest = (at_mono, at_ms)
        return at_ms


def parse_date(header: str) -> float | None:
    """Return an HTTP date in unix seconds, or None for what is none."""
    try:
        date = parsedate_to_datetime(header)
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def retry_after(header: str | None, date_header: str | None) -> float | None:
    """Return the seconds that a `Retry-After` asks for; one that is a date counts from the answer's own `Date`."""
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header[:9])
    until, now = parse_date(header), parse_date(date_header or "")
    return None if until is None or now is None else max(0.0, until - now)
