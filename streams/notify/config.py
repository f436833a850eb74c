"""What a file of notifications says, read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.notify.routes import Route
from streams.notify.targets import Target
from streams.notify.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Iterator


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of what, how, and in which words."""

    route: Route
    receivers: dict[str, tuple[Target, ...]]
    """One without targets tells nobody."""
    templates: Templates = Templates()
    secrets: frozenset[str] = frozenset()
    """What no log may show."""

    def targets(self, receiver: str) -> tuple[Target, ...]:
        """Return the addresses of a receiver."""
        return self.receivers[receiver]

    def all_targets(self) -> Iterator[Target]:
        """Yield all addresses."""
        for targets in self.receivers.values():
            yield from targets

    def __repr__(self) -> str:
        """Show no secrets."""
        return f"Config({', '.join(self.receivers)})"
