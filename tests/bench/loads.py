"""How orders come. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Load(NamedTuple):
    """Orders per second on the socket, evenly or in bursts."""

    rate: float
    burst: int = 1
    """Orders that come at once."""

    @property
    def name(self) -> str:
        """What tables call it."""
        even = f"{self.rate:,.0f}/s"
        return even if self.burst == 1 else f"{self.burst} at once, every {self.burst / self.rate:g} s"

    def times(self) -> Iterator[float]:
        """Yield when each order is sent, in seconds from the first one on, without end."""
        number = 0
        while True:
            yield number // self.burst * self.burst / self.rate
            number += 1


USUAL = Load(1_000.0)
"""What the goals are set for."""
LOADS = (Load(100.0), USUAL, Load(5_000.0), Load(50.0, burst=100))
