"""
The schedule of one run: what happens to the workers, the broker and the rules, and when. Pure; a seed decides all.

Up to three workers share the partitions; each may be terminated, killed and started again, so that deployments grow
and shrink. Rules change all the while.
"""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec

Kind = Literal["start", "term", "kill", "broker_kill", "rules"]

WORKERS = 3
_WEIGHTS: dict[Kind, int] = {"start": 5, "term": 3, "kill": 4, "broker_kill": 1, "rules": 6}
_PAUSES_S = (0.2, 1.2)


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is done."""

    after_s: float
    """Seconds after the act before it has ended."""
    kind: Kind
    worker: int = 0
    seed: int = 0
    """For what is drawn when it is done: which rules change, and how."""


def schedule(seed: int, *, acts: int = 10) -> list[Act]:
    """Return the acts of a run, during which at least one worker is always on its way back or running."""
    rng = Random(seed)
    running = {0}
    broker_died = False
    made: list[Act] = []
    while len(made) < acts:
        (kind,) = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        idle = set(range(WORKERS)) - running
        if (kind == "start" and not idle) or (kind in ("term", "kill") and not running):
            continue
        if kind == "broker_kill" and broker_died:
            continue
        worker = rng.choice(sorted(idle if kind == "start" else running or idle))
        if kind == "start":
            running.add(worker)
        elif kind in ("term", "kill"):
            running.discard(worker)
        broker_died |= kind == "broker_kill"
        made.append(Act(after_s=rng.uniform(*_PAUSES_S), kind=kind, worker=worker, seed=rng.getrandbits(32)))
    return made
