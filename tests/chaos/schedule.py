"""
The schedule of faults: what strikes whom and when. Pure, and nothing but its arguments decides it.

Kinds come from a shuffled deck that holds each of them, the graver ones several times, so that a schedule as long
as the deck has every kind, and a longer one has them in the deck's proportions.
"""

from __future__ import annotations

from random import Random
from typing import Literal, get_args

import msgspec

from connector.simulator.faults import Fault, Kind
from tests.chaos.provider import PROVIDER_KINDS, provider_faults

OwnKind = Literal[
    "replica_kill",
    "replica_term",
    "replica_stop",
    "broker_kill",
    "broker_stop",
    "slow_broker",
    "clock_jump",
    "watch_churn",
    "burst",
]
"""
What the harness does itself.

replica_kill: SIGKILL, started again after `seconds`. replica_term: SIGTERM, likewise. replica_stop: SIGSTOP for
`seconds`. broker_kill: SIGKILL, started again after `seconds`. broker_stop: SIGSTOP for `seconds`. slow_broker:
produce requests take `amount` seconds longer for `seconds`, so that the replica with the tiny queue fills it.
clock_jump: a replica's wall clock jumps by `amount` seconds. watch_churn: `amount` wallets are removed from the
watch-list and as many others added. burst: `amount` orders at once.
"""

_WEIGHTS: dict[str, int] = {
    "replica_kill": 3,
    "replica_term": 2,
    "replica_stop": 3,
    "clock_jump": 2,
    "watch_churn": 4,
    "burst": 2,
    "drop": 2,
    "half_open": 2,
}
OWN_KINDS: tuple[OwnKind, ...] = get_args(OwnKind)
KINDS: tuple[str, ...] = (*OWN_KINDS, *PROVIDER_KINDS)
_RANGES: dict[OwnKind, tuple[tuple[float, float], tuple[float, float]]] = {
    "replica_kill": ((0.0, 12.0), (0, 0)),
    "replica_term": ((0.0, 6.0), (0, 0)),
    "replica_stop": ((1.0, 20.0), (0, 0)),
    "broker_kill": ((0.0, 3.0), (0, 0)),
    "broker_stop": ((1.0, 9.0), (0, 0)),
    "slow_broker": ((3.0, 8.0), (1.0, 3.0)),
    "clock_jump": ((0.0, 0.0), (0, 0)),
    "watch_churn": ((0.0, 0.0), (1, 4)),
    "burst": ((0.0, 0.0), (100, 1_200)),
}
"""Least and most `seconds` and `amount`."""
CLOCK_JUMP_S = 3_600.0


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of the schedule."""

    number: int
    at: float
    """Seconds from the beginning."""
    kind: str
    replica: int = 0
    seconds: float = 0.0
    amount: float = 0.0
    seed: int = 0
    """For what is drawn when it strikes: which wallets, which orders."""
    faults: tuple[Fault, ...] = ()
    """For the simulator."""


def key_of(replica: int) -> str:
    """Return the API key of a replica; its name says nothing of a tier, so it buys the provider's default one."""
    return f"key-{replica}"


def schedule(
    count: int, *, seed: int, replicas: int, mean_s: float, kinds: tuple[str, ...] = KINDS
) -> tuple[Strike, ...]:
    """Return `count` faults, on average `mean_s` seconds apart."""
    rng = Random(seed)
    at = 0.0
    strikes = []
    deck: list[str] = []
    for number in range(count):
        deck = deck or _deck(kinds, rng)
        at += min(rng.expovariate(1 / mean_s), 4 * mean_s)
        strikes.append(_strike(number, at, deck.pop(), rng, replicas))
    return tuple(strikes)


def _deck(kinds: tuple[str, ...], rng: Random) -> list[str]:
    deck = [kind for kind in kinds for _ in range(_WEIGHTS.get(kind, 1))]
    rng.shuffle(deck)
    return deck


def _strike(number: int, at: float, kind: str, rng: Random, replicas: int) -> Strike:
    replica, seed = rng.randrange(replicas), rng.getrandbits(32)
    if kind in get_args(Kind):
        faults = provider_faults(kind, rng, key_of(replica))  # type: ignore[arg-type]
        return Strike(number=number, at=at, kind=kind, replica=replica, seed=seed, faults=faults)
    seconds, amount = (rng.uniform(*bounds) for bounds in _RANGES[kind])  # type: ignore[index]
    if kind == "clock_jump":
        amount = rng.choice((-CLOCK_JUMP_S, CLOCK_JUMP_S))
    return Strike(number=number, at=at, kind=kind, replica=replica, seed=seed, seconds=seconds, amount=amount)
