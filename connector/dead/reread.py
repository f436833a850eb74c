"""What today's code makes of a dead letter. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import orjson
from rich.table import Table
from rich.text import Text

from connector.contract.errors import InvalidOrder
from connector.contract.order import Order, parse_order
from connector.contract.provenance import Provenance
from connector.contract.record import MAX_RAW
from connector.dialects import Event, Unreadable
from connector.texts import plain
from connector.wire import BadFrame, decode_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connector.contract.record import DeadRecord
    from connector.dead.letters import Letter
    from connector.dialects import Dialect

Outcome = Literal["published", "to publish", "published twice", "known already", "still bad", "held"]


class Result(msgspec.Struct, frozen=True):
    """What became of a letter, and why."""

    outcome: Outcome
    detail: str


class Found(msgspec.Struct, frozen=True):
    """An order that a letter turned out to hold."""

    order: Order
    provenance: Provenance

    @property
    def known_from_ms(self) -> int:
        """Unix milliseconds before which it cannot have been published; a wrong timestamp is not trusted."""
        return min(self.order.timestamp * 1000, self.provenance.received_ns // 1_000_000)


def reread(letter: Letter, dialects: Mapping[str, Dialect]) -> Found | Result:
    """Return the order in a letter, or why there is none to publish; `dialects` by provider."""
    record = letter.record
    if record is None:
        return Result("held", f"the letter cannot be read: {letter.fault}")
    try:
        order = parse_order(_data(letter.raw, record, dialects))
    except _NotAnOrder as error:
        return Result("held", str(error))
    except (BadFrame, InvalidOrder, orjson.JSONDecodeError) as error:
        return Result("still bad", str(error))
    provenance = Provenance(
        source="replay",
        provider=record.provider or "",
        received_ns=record.received_ns,
        subscription_id=record.subscription_id,
    )
    return Found(order, provenance)


class _NotAnOrder(Exception):
    """The bytes mean something else."""


def _data(raw: bytes, record: DeadRecord, dialects: Mapping[str, Dialect]) -> dict[str, Any]:
    """Return what the bytes say of an order; rows of REST were mapped to the common form before they were kept."""
    if record.size is not None:
        raise BadFrame("too-large", f"only the first {MAX_RAW} of its {record.size} bytes were kept")
    if record.provider is None or record.origin not in ("ws", "backfill"):
        raise _NotAnOrder(f"not from a provider, but from {record.origin}")
    dialect = dialects.get(record.provider)
    if dialect is None:
        raise _NotAnOrder(f"its provider {record.provider!r} is unknown here")
    frame = decode_frame(raw, max_bytes=MAX_RAW)
    if record.origin == "backfill":
        return frame
    message = dialect.classify(frame)
    if isinstance(message, Unreadable):
        raise BadFrame(message.reason, message.detail)
    if not isinstance(message, Event):
        raise _NotAnOrder(f"not an order: {type(message).__name__.lower()}")
    return message.data


def outcomes(results: Mapping[str, Result]) -> Table:
    """Return what became of the letters, by their places, for people."""
    counts = Counter(result.outcome for result in results.values())
    title = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common()) or "no such letters"
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    drawn.add_column("letter", no_wrap=True)
    drawn.add_column("outcome", no_wrap=True)
    drawn.add_column("detail", overflow="fold")
    for place, result in results.items():
        drawn.add_row(place, result.outcome, Text(plain(result.detail)))
    return drawn
