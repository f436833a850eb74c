"""
Brute force: what the statistics must be, computed from a list of logged orders, slow and obvious.

Shares no code with `streams`; only the definitions are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector.contract.record import OrderRecord

WINDOWS = {"1m": (60, 1), "5m": (300, 5), "1h": (3_600, 60), "24h": (86_400, 1_440)}
"""Name -> length and bucket width in seconds."""
POSITIONS = 64
"""Tokens remembered per wallet."""
MATCHES, MATCHES_S = 1_024, 600
"""Transactions remembered per market, and for how long."""


class Logged(NamedTuple):
    """An order as it stood in a topic; lists of these are in the order of their offsets."""

    order: OrderRecord
    partition: int
    offset: int
    append_ms: int


class Placed(NamedTuple):
    """A distinct order with the second it counts at, whether it was too late for every window, and when it came."""

    order: OrderRecord
    second: int
    late: bool
    clock: int


class Match(NamedTuple):
    """Rows of one transaction that count at one second, while the first of them is remembered."""

    key: tuple[str, int]
    clock: int
    rows: list[OrderRecord]


def place(log: Iterable[Logged], *, partition: int, up_to: int) -> list[Placed]:
    """Return the distinct orders of a partition up to an offset; the clock is the running maximum of append times."""
    clock = 0
    known: set[str] = set()
    placed = []
    for entry in log:
        if entry.partition != partition or entry.offset > up_to:
            continue
        clock = max(clock, entry.append_ms // 1_000)
        if entry.order.event_id in known:
            continue
        known.add(entry.order.event_id)
        second = min(entry.order.timestamp, clock)
        placed.append(Placed(entry.order, second, not _inside(second, clock, *WINDOWS["24h"]), clock))
    return placed


def wallet_stats(
    log: Iterable[Logged], wallet: str, *, partition: int, as_of_offset: int, as_of: int
) -> dict[str, Any]:
    """Return the value of `wallet-stats.v1` that must stand for this wallet."""
    orders = [p for p in place(log, partition=partition, up_to=as_of_offset) if p.order.user == wallet]
    return {
        "schema": 1,
        "wallet": wallet,
        "as_of": as_of,
        "as_of_offset": as_of_offset,
        "partition": partition,
        "windows": {name: _wallet_window(held(orders, as_of, name)) for name in WINDOWS},
        "late": sum(p.late for p in orders),
        **_positions(orders),
    }


def market_stats(
    log: Iterable[Logged], market: str, *, partition: int, as_of_offset: int, as_of: int
) -> dict[str, Any]:
    """Return the value of `market-stats.v1` that must stand for this market; the log is `orders-by-market.v1`."""
    orders = [p for p in place(log, partition=partition, up_to=as_of_offset) if p.order.condition_id == market]
    tokens = sorted({p.order.token_id for p in orders})
    matches = _matches(orders)
    return {
        "schema": 1,
        "condition_id": market,
        "market_slug": _newest([p.order.market_slug for p in orders]),
        "title": _newest([p.order.title for p in orders]),
        "as_of": as_of,
        "as_of_offset": as_of_offset,
        "partition": partition,
        "windows": {name: _market_window(held(orders, as_of, name), _now(matches, as_of, name)) for name in WINDOWS},
        "outcomes": [_outcome(token, orders, matches, as_of) for token in tokens],
        "late": sum(p.late for p in orders),
    }


def _inside(second: int, at: int, length: int, width: int) -> bool:
    return at // width - length // width < second // width <= at // width


def held(orders: list[Placed], as_of: int, name: str) -> list[OrderRecord]:
    """Return the orders that a window holds at `as_of` (ms)."""
    return [p.order for p in orders if not p.late and _inside(p.second, as_of // 1_000, *WINDOWS[name])]


def _wallet_window(orders: list[OrderRecord]) -> dict[str, Any]:
    sizes = [order.notional_micros for order in orders]
    bought = sum(order.notional_micros for order in orders if order.side == "BUY")
    sold = sum(order.notional_micros for order in orders if order.side == "SELL")
    shares = sum(order.shares for order in orders if order.side == "BUY")
    return {
        "orders": len(orders),
        "buys": sum(order.side == "BUY" for order in orders),
        "sells": sum(order.side == "SELL" for order in orders),
        "bought": bought,
        "sold": sold,
        "volume": bought + sold,
        "net_flow": bought - sold,
        "markets": len({order.condition_id for order in orders if order.condition_id is not None}),
        "mean_order": (2 * sum(sizes) + len(sizes)) // (2 * len(sizes)) if sizes else None,
        "max_order": max(sizes, default=None),
        "mean_price": bought / shares if shares else None,
    }


def _positions(orders: list[Placed]) -> dict[str, Any]:
    """Keep the 64 tokens with the newest orders after each order; what comes back after it was dropped begins anew."""
    held: dict[int, list[Placed]] = {}
    dropped = 0
    for placed in orders:
        held.setdefault(int(placed.order.token_id), []).append(placed)
        if len(held) > POSITIONS:
            del held[min(held, key=lambda token: (_newest_second(held[token]), token))]
            dropped += 1
    newest = sorted(held, key=lambda token: (-_newest_second(held[token]), token))
    return {"positions": [_position(held[token]) for token in newest[:16]], "positions_dropped": dropped}


def _position(orders: list[Placed]) -> dict[str, Any]:
    buys = [p.order for p in orders if p.order.side == "BUY"]
    sells = [p.order for p in orders if p.order.side == "SELL"]
    bought, bought_shares = sum(o.notional_micros for o in buys), sum(o.shares for o in buys)
    return {
        "token_id": orders[0].order.token_id,
        "orders": len(orders),
        "shares": bought_shares - sum(o.shares for o in sells),
        "bought_shares": bought_shares,
        "bought": bought,
        "sold_shares": sum(o.shares for o in sells),
        "sold": sum(o.notional_micros for o in sells),
        "average_price": bought / bought_shares if buys else None,
        "newest": _newest_second(orders),
    }


def _newest_second(orders: list[Placed]) -> int:
    return max(p.second for p in orders)


def _flow(orders: list[OrderRecord], repeated: int) -> dict[str, Any]:
    return {
        "orders": len(orders),
        "volume": sum(order.notional_micros for order in orders) - repeated,
        "net_flow": sum(order.notional_micros * (1 if order.side == "BUY" else -1) for order in orders),
    }


def _matches(orders: list[Placed]) -> list[Match]:
    """Return the transactions; a row that comes when its transaction is forgotten begins another."""
    remembered: list[Match] = []
    made = []
    for placed in orders:
        key = (placed.order.tx_hash, placed.second)
        remembered = [match for match in remembered if match.clock >= placed.clock - MATCHES_S]
        match = next((match for match in remembered if match.key == key), None)
        if match is None:
            match = Match(key, placed.clock, [])
            made.append(match)
            remembered = [*remembered, match][-MATCHES:]
        match.rows.append(placed.order)
    return made


def _now(matches: list[Match], as_of: int, name: str) -> list[Match]:
    return [match for match in matches if _inside(match.key[1], as_of // 1_000, *WINDOWS[name])]


def _repeated(match: Match, token: str | None = None) -> int:
    """Return the smaller of what takers' rows and others come to, among all rows or those of an outcome."""
    rows = [row for row in match.rows if token in (None, row.token_id)]
    named = {row.taker for row in rows}
    takers = [row.notional_micros for row in rows if row.user in named and row.taker != row.user]
    return min(sum(takers), sum(row.notional_micros for row in rows) - sum(takers))


def _market_window(orders: list[OrderRecord], matches: list[Match]) -> dict[str, Any]:
    tokens = {order.token_id for order in orders}
    sides = [[len(_users(orders, token, side)) for side in ("BUY", "SELL")] for token in tokens]
    return {
        **_flow(orders, sum(_repeated(match) for match in matches)),
        "wallets": len({order.user for order in orders}),
        "consensus": max(map(max, sides), default=0),
        "disagreement": max(map(min, sides), default=0),
    }


def _users(orders: list[OrderRecord], token: str, side: str) -> set[str]:
    return {order.user for order in orders if order.token_id == token and order.side == side}


def _outcome(token: str, of_market: list[Placed], matches: list[Match], as_of: int) -> dict[str, Any]:
    orders = [p for p in of_market if p.order.token_id == token]
    return {
        "token_id": token,
        "label": next((p.order.token_label for p in orders if p.order.token_label is not None), None),
        "last_price": _last(orders),
        "windows": {name: _outcome_window(token, orders, _now(matches, as_of, name), as_of, name) for name in WINDOWS},
    }


def _outcome_window(token: str, orders: list[Placed], matches: list[Match], as_of: int, name: str) -> dict[str, Any]:
    inside = held(orders, as_of, name)
    return {
        **_flow(inside, sum(_repeated(match, token) for match in matches)),
        "buyers": len(_users(inside, token, "BUY")),
        "sellers": len(_users(inside, token, "SELL")),
        "price_move": _price_move(orders, as_of, name),
    }


def _price_move(orders: list[Placed], as_of: int, name: str) -> float:
    """Return the newest price less the last one of the window's oldest bucket, 0 with fewer than two buckets."""
    inside = [p for p in orders if not p.late and _inside(p.second, as_of // 1_000, *WINDOWS[name])]
    buckets = {p.second // WINDOWS[name][1] for p in inside}
    if len(buckets) < 2:
        return 0.0
    return _last(orders) - _last([p for p in inside if p.second // WINDOWS[name][1] == min(buckets)])


def _last(orders: list[Placed]) -> float:
    return max(orders, key=_on_chain).order.price


def _on_chain(placed: Placed) -> tuple[int, int, int, str]:
    order = placed.order
    block = -1 if order.block_number is None else order.block_number
    index = -1 if order.log_index is None else order.log_index
    return (placed.second, block, index, order.event_id)


def _newest(values: list[str | None]) -> str | None:
    return next((value for value in reversed(values) if value is not None), None)
