"""What the simulator is told for each of its kinds of fault: sensible parameters, drawn from a seed. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from connector.simulator.faults import TRIGGERS, Fault

if TYPE_CHECKING:
    from random import Random

    from connector.simulator.faults import Kind

PROVIDER_KINDS: tuple[Kind, ...] = tuple(TRIGGERS)

_FRAMES = (
    "",
    "{",
    "[]",
    "null",
    '"connected"',
    '{"type":"news","data":1}',
    '{"type":"event"}',
    "[" * 5_000,
    "\x00\x01",
)
"""What no client expects: unknown, empty, broken, deep."""
_REST_STATUS = (429, 500, 502, 503)
_REFUSALS = (429, 503)
_CODES = (None, 1000, 1001, 1011)

Drawn = Callable[["Random"], tuple[Fault, ...]]


def provider_faults(kind: Kind, rng: Random, key: str) -> tuple[Fault, ...]:
    """
    Return the faults to inject for a strike of this kind; the first is of the kind, others give it its occasion.

    Two in three strike only connections and requests of `key`, the others whoever comes first.
    """
    drawn = _DRAWN.get(kind)
    faults = drawn(rng) if drawn is not None else _several(kind, rng)
    return tuple(msgspec.structs.replace(fault, key=key) for fault in faults) if rng.random() < 2 / 3 else faults


def _several(kind: Kind, rng: Random) -> tuple[Fault, ...]:
    return (Fault(kind=kind, times=rng.randint(1, 6), delay=rng.uniform(0.5, 3.0)),)


def _drop(rng: Random) -> tuple[Fault, ...]:
    when = rng.choice(("now", "event", "event"))
    return (Fault(kind="drop", when=when, code=rng.choice(_CODES)),)  # type: ignore[arg-type]


def _half_open(rng: Random) -> tuple[Fault, ...]:
    when = rng.choice(("now", "event", "event"))
    return (Fault(kind="half_open", when=when, delay=rng.choice((0.0, rng.uniform(1.0, 12.0)))),)  # type: ignore[arg-type]


def _frame(rng: Random) -> tuple[Fault, ...]:
    return (Fault(kind="frame", when=rng.choice(("now", "event")), frame=rng.choice(_FRAMES)),)


def _error(rng: Random) -> tuple[Fault, ...]:
    if rng.random() < 0.5:
        return (Fault(kind="error", when="now"),)
    return (Fault(kind="error", when="ack"), _occasion(rng))


def _on_ack(kind: Kind, least: float, most: float) -> Drawn:
    return lambda rng: (Fault(kind=kind, delay=rng.uniform(least, most)), _occasion(rng))


def _refuse(rng: Random) -> tuple[Fault, ...]:
    return (Fault(kind="refuse", status=rng.choice(_REFUSALS), times=rng.randint(1, 3)), _occasion(rng))


def _rest_status(rng: Random) -> tuple[Fault, ...]:
    return (Fault(kind="rest_status", status=rng.choice(_REST_STATUS), times=rng.randint(1, 6)),)


def _withhold(rng: Random) -> tuple[Fault, ...]:
    """Let some of the rows that REST never shows be orders that the socket brings broken."""
    count = rng.randint(1, 3)
    return (Fault(kind="rest_withhold", times=count), Fault(kind="garble", times=count))


def _slow_connection(rng: Random) -> tuple[Fault, ...]:
    return (Fault(kind="slow_connection", when="now", delay=rng.uniform(0.1, 1.0), jitter=rng.choice((0.0, 0.05))),)


def _rest_slow(rng: Random) -> tuple[Fault, ...]:
    return (Fault(kind="rest_slow", delay=rng.uniform(0.5, 6.0), times=rng.randint(1, 4)),)


def _rest_late(rng: Random) -> tuple[Fault, ...]:
    return (Fault(kind="rest_late", delay=rng.uniform(0.5, 3.0), times=rng.randint(1, 20)),)


def _occasion(rng: Random) -> Fault:
    """Return a fault that makes clients connect and subscribe again, so that acks and handshakes happen."""
    return Fault(kind="drop", when="now", at=0.1, code=rng.choice(_CODES))


_DRAWN: dict[str, Drawn] = {
    "drop": _drop,
    "half_open": _half_open,
    "frame": _frame,
    "error": _error,
    "delay_ack": _on_ack("delay_ack", 0.5, 5.0),
    "lose_ack": _on_ack("lose_ack", 0.0, 0.0),
    "early_event": _on_ack("early_event", 0.5, 2.0),
    "refuse": _refuse,
    "rest_status": _rest_status,
    "rest_slow": _rest_slow,
    "rest_late": _rest_late,
    "rest_withhold": _withhold,
    "slow_connection": _slow_connection,
}
