"""The statistics of a wallet as they are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from streams.stats.windows import Windows


class WalletWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of one window. Money is in micro-USDC, `mean_price` in USDC per share bought."""

    orders: int
    buys: int
    sells: int
    bought: int
    sold: int
    volume: int
    net_flow: int
    markets: int
    mean_order: int | None
    max_order: int | None
    mean_price: float | None


def wallet_window(windows: Windows, level: int) -> WalletWindow:
    """Return the view of window `level`, an index into `SPANS`."""
    sums = windows.sums(level)
    orders, bought, sold = sums.orders, sums.bought, sums.sold
    volume = bought + sold
    return WalletWindow(
        orders=orders,
        buys=sums.buys,
        sells=orders - sums.buys,
        bought=bought,
        sold=sold,
        volume=volume,
        net_flow=bought - sold,
        markets=windows.distinct[level],
        mean_order=(2 * volume + orders) // (2 * orders) if orders else None,
        max_order=windows.largest[level] if orders else None,
        mean_price=bought / sums.shares if sums.shares else None,
    )
