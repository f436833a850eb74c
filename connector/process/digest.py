"""What happens often, said seldom: at once, and then added up. Shell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

_EVERY_S = 10.0


class Digest(Generic[T]):
    """
    Gathers what there is to say, so that a thousand wallets are a few lines of a log.

    Args:
        tell: Called with all there is to say: at once, and then not more often than every ten seconds.
    """

    def __init__(self, tell: Callable[[list[T]], None]) -> None:
        self._tell = tell
        self._items: list[T] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, items: Iterable[T]) -> None:
        """Take in what happened."""
        self._items += items
        if self._items and self._timer is None:
            self._say()

    def _say(self) -> None:
        items, self._items = self._items, []
        self._timer = asyncio.get_running_loop().call_later(_EVERY_S, self._say) if items else None
        if items:
            self._tell(items)
