"""What is watched against what the keys have room for, and against what topics remember. Pure."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from connector.doctor.checks import Check, counted, fail, ok, warn
from connector.watch.since import DAY_S, MOST_DAYS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from connector.packing import Quota
    from connector.watch.listed import Listed, Row

_TIGHT = 0.8
_NAMED = 3
"""Wallets that are named where it could be thousands."""


def quota(wallets: Collection[str], each: Quota, *, keys: int, replicas: int, mirror: Quota | None) -> list[Check]:
    """
    Judge whether every wallet finds room.

    Args:
        wallets: Of the watch-list and of the settings.
        each: What one key has.
        keys: All keys of API_KEY, of all replicas together.
        replicas: Connectors that share the keys out.
        mirror: What all keys of the mirror have together; None without one.
    """
    if not wallets:
        return [warn("quota", "no wallet is watched", "python -m connector watch add ADDRESS, or set WALLETS")]
    checks = [_room("quota", len(wallets), keys * each.subscriptions, each.wallets_each, "TIER, MAX_..., API_KEY")]
    used = len(wallets) / (keys * each.subscriptions * each.wallets_each)
    if replicas > 1 and _TIGHT < used <= 1:
        seen = f"{used:.0%} of the room is used; partitions of the watch-list are not equally full, so one of the"
        remedy = "add a key and a replica, or watch fewer wallets; `watch list` shows who is in state no-room"
        checks.append(warn("quota shared", f"{seen} {replicas} connectors may have too many", remedy))
    if mirror is not None:
        checks.append(_room("quota mirror", len(wallets), mirror.subscriptions, mirror.wallets_each, "MIRROR_..."))
    return checks


def _room(name: str, wallets: int, subscriptions: int, wallets_each: int, settings: str) -> Check:
    needed, room = ceil(wallets / wallets_each), subscriptions * wallets_each
    seen = f"{counted(wallets, 'wallet')}: {needed} of {subscriptions} subscriptions, {wallets_each} wallets each"
    if wallets > room:
        remedy = f"watch fewer, or have more: another key, or a higher tier ({settings})"
        return fail(name, f"{seen}: {wallets - room} find no room and bring no orders", remedy)
    return ok(name, seen)


def standing(rows: Sequence[Row], now_ms: int) -> Check:
    """Judge what the connectors say of the wallets on the list, and the settings' wallets they took up."""
    if not rows:
        return ok("watch-list", "empty")
    live = sum(row.live(now_ms) for row in rows)
    seen = f"{counted(len(rows), 'wallet')}, {live} live"
    full = [row.wallet for row in rows if row.coverage is not None and row.coverage.standing in ("no-room", "refused")]
    if full and not all(row.stale(now_ms) for row in rows if row.wallet in full):
        remedy = "see quota; refused: the provider does not take this wallet's subscription, see the connector's log"
        return fail("watch-list", f"{seen}; no room for, or refused: {_named(full)}", remedy)
    return ok("watch-list", seen)


def readable(listed: Listed) -> Check | None:
    """Warn of records that cannot be read; None where there are none."""
    faults = listed.faults
    if not faults:
        return None
    more = f"\nand {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return warn("watch-list records", "\n".join(faults[:_NAMED]) + more, "write them again, or a tombstone for the key")


def since(rows: Sequence[Row], *, retention_ms: int | None, now_s: int) -> Check:
    """
    Judge how far back orders are wanted against how long `orders.v1` remembers what it has.

    Only of wallets that nobody watches yet: of the others it was fetched long ago.
    """
    least_s = MOST_DAYS * DAY_S if retention_ms is None else min(MOST_DAYS * DAY_S, retention_ms // 1000)
    wanted = {row.wallet: row.watch.since for row in rows if row.coverage is None and row.watch is not None}
    early = [wallet for wallet, begin in wanted.items() if begin is not None and begin < now_s - least_s]
    days = least_s // DAY_S
    if early:
        remedy = f"watch add ADDRESS --since {days}d, or keep orders.v1 longer before the watch begins"
        seen = f"wanted from more than {days} days ago, which orders.v1 may have forgotten: {_named(early)}"
        return warn("since", f"{seen}; older orders could be published twice", remedy)
    return ok("since", f"no wallet that is new wants orders from more than {days} days ago")


def _named(wallets: Sequence[str]) -> str:
    more = f" and {len(wallets) - _NAMED} more" if len(wallets) > _NAMED else ""
    return ", ".join(wallets[:_NAMED]) + more
