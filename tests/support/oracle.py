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


class Logged(NamedTuple):
    """An order as it stood in a topic; lists of these are in the order of their offsets."""

    order: OrderRecord
    partition: int
    offset: int
    append_ms: int


class Placed(NamedTuple):
    """A distinct order with the second it counts at, and whether it was too late for every window."""

    order: OrderRecord
    second: int
    late: bool


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
        placed.append(Placed(entry.order, second, not _inside(second, clock, *WINDOWS["24h"])))
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
        "windows": {name: _wallet_window(_held(orders, as_of, name)) for name in WINDOWS},
        "late": sum(p.late for p in orders),
    }


def market_stats(
    log: Iterable[Logged], market: str, *, partition: int, as_of_offset: int, as_of: int
) -> dict[str, Any]:
    """Return the value of `market-stats.v1` that must stand for this market; the log is `orders-by-market.v1`."""
    orders = [p for p in place(log, partition=partition, up_to=as_of_offset) if p.order.condition_id == market]
    tokens = sorted({p.order.token_id for p in orders})
    return {
        "schema": 1,
        "condition_id": market,
        "market_slug": _newest([p.order.market_slug for p in orders]),
        "title": _newest([p.order.title for p in orders]),
        "as_of": as_of,
        "as_of_offset": as_of_offset,
        "partition": partition,
        "windows": {name: _market_window(_held(orders, as_of, name)) for name in WINDOWS},
        "outcomes": [_outcome(token, [p for p in orders if p.order.token_id == token], as_of) for token in tokens],
        "late": sum(p.late for p in orders),
    }


def _inside(second: int, at: int, length: int, width: int) -> bool:
    return at // width - length // width < second // width <= at // width


def _held(orders: list[Placed], as_of: int, name: str) -> list[OrderRecord]:
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


def _flow(orders: list[OrderRecord]) -> dict[str, Any]:
    return {
        "orders": len(orders),
        "volume": sum(order.notional_micros for order in orders),
        "net_flow": sum(order.notional_micros * (1 if order.side == "BUY" else -1) for order in orders),
    }


def _market_window(orders: list[OrderRecord]) -> dict[str, Any]:
    return {**_flow(orders), "wallets": len({order.user for order in orders})}


def _outcome(token: str, orders: list[Placed], as_of: int) -> dict[str, Any]:
    last = max((p.order for p in orders), key=_on_chain)
    return {
        "token_id": token,
        "label": next((p.order.token_label for p in orders if p.order.token_label is not None), None),
        "last_price": last.price,
        "windows": {name: _flow(_held(orders, as_of, name)) for name in WINDOWS},
    }


def _on_chain(order: OrderRecord) -> tuple[int, int, int, str]:
    block = -1 if order.block_number is None else order.block_number
    index = -1 if order.log_index is None else order.log_index
    return (order.timestamp, block, index, order.event_id)


def _newest(values: list[str | None]) -> str | None:
    return next((value for value in reversed(values) if value is not None), None)
