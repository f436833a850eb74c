"""
The lease: until when we are sure to own what the group gave us. Pure.

The group's coordinator gives our partitions to nobody else before it has not heard of us for a session. A commit it
accepts proves that it has; a process that was frozen finds its lease expired and publishes nothing until it is renewed.
"""

from __future__ import annotations

_MARGIN = 0.2
"""Share of the session that is not used, for clocks that run differently and for what is under way."""


class Lease:
    """
    Times are seconds of a monotonic clock that goes on while the process is frozen.

    Args:
        session_timeout: After which the coordinator gives up a member that is silent.
        rebalance_timeout: After which it gives up one that does not join again.
    """

    def __init__(self, session_timeout: float, rebalance_timeout: float) -> None:
        self._length = min(session_timeout, rebalance_timeout) * (1.0 - _MARGIN)
        self._until = 0.0

    def renew(self, asked_at: float) -> None:
        """Note that the coordinator accepted a request that was sent at this time."""
        self._until = max(self._until, asked_at + self._length)

    def end(self) -> None:
        """Note that the coordinator did not know us any more, or takes everything back."""
        self._until = 0.0

    def valid(self, now: float) -> bool:
        """Return whether we may publish."""
        return now < self._until
