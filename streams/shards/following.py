"""What a shard has to know of rules that change while it works. Pure."""

from __future__ import annotations

from typing import Final, Protocol


class Following(Protocol):
    """Whoever reads the changes of rules."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def known(self) -> bool:
        """
        Return whether all changes are known that concern orders which have reached us by now.

        Until then no order may be folded, and no time pass: it could be judged by rules that are not in force any more.
        """


class Unchanging:
    """Rules that stay as they are."""

    version: Final = 0

    def known(self) -> bool:
        """Return that there is nothing to wait for."""
        return True


UNCHANGING: Final[Following] = Unchanging()
