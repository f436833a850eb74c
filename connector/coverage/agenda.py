"""Which wallet is due when: repairs of gaps before routine comparisons."""

from __future__ import annotations

from heapq import heappop, heappush


class Agenda:
    """One entry per wallet at most; setting it again replaces it."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[int, bool]] = {}
        self._urgent: list[tuple[int, str]] = []
        self._routine: list[tuple[int, str]] = []

    def set(self, wallet: str, due_ms: int, *, urgent: bool) -> None:
        """Make a wallet due."""
        self._due[wallet] = (due_ms, urgent)
        heappush(self._urgent if urgent else self._routine, (due_ms, wallet))

    def clear(self, wallet: str) -> None:
        """Make a wallet not due at all."""
        self._due.pop(wallet, None)

    def turn_back(self, by_ms: int) -> None:
        """Make everything due so much earlier."""
        for wallet, (due_ms, urgent) in list(self._due.items()):
            self.set(wallet, due_ms - by_ms, urgent=urgent)

    def next_due(self) -> int | None:
        """Return when `pop` has something to give, or None."""
        tops = (self._top(self._urgent, urgent=True), self._top(self._routine, urgent=False))
        return min((due for due in tops if due is not None), default=None)

    def pop(self, now_ms: int) -> str | None:
        """Return a wallet that is due, and clear it."""
        for queue, urgent in ((self._urgent, True), (self._routine, False)):
            due = self._top(queue, urgent=urgent)
            if due is not None and due <= now_ms:
                _, wallet = heappop(queue)
                self.clear(wallet)
                return wallet
        return None

    def _top(self, queue: list[tuple[int, str]], *, urgent: bool) -> int | None:
        while queue and self._due.get(queue[0][1]) != (queue[0][0], urgent):
            heappop(queue)  # replaced or cleared since
        return queue[0][0] if queue else None
