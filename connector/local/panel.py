"""The view as something rich can draw, or as a line or two. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connector.texts import age, dollars, milliseconds, plain, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from connector.local.view import Alert, View, Wallet, Window

_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_FIXED_LINES = 9 + 3 + 2
"""Of the figures with their frame, the frame and head of the wallets, the frame of the alerts."""
_MOST_WALLETS: Final = 10
_MOST_ALERTS: Final = 12


def status(view: View, connector: str, now_ms: int) -> list[str]:
    """Return the state on one line, and the latest alert on another, for logs and pipes."""
    latency = ", ".join(f"{path} {_pair(pair)}" for path, pair in view.latencies().items())
    orders = f"{view.orders} orders, {view.orders_per_second(now_ms):.1f}/s"
    complete = f"{view.completeness.live} wallets live, {view.completeness.open} with gaps"
    lines = [f"connector {connector} | {complete} | {orders} | {view.alerts} alerts | p50/p99 {latency}"]
    if view.latest:
        alert = view.latest[0]
        lines.append(plain(f"  latest alert, {age(now_ms - alert.as_of)} ago: {alert.rule}: {alert.message}"))
    return lines


def draw(view: View, connector: str, topics: str, *, now_ms: int, height: int) -> RenderableType:
    """Return the live view, at most `height` lines where that leaves room for a wallet and an alert."""
    room = height - _FIXED_LINES
    wallets = min(_MOST_WALLETS, max(1, room // 3))
    alerts = min(_MOST_ALERTS, max(1, (room - wallets) // 2))
    top = _wallets(view.top_wallets(wallets))
    return Group(
        Panel(_figures(view, connector, topics, now_ms), title="walletstream", title_align="left"),
        Panel(top, title="Top wallets by volume, 1 h", title_align="left"),
        Panel(_alerts(list(view.latest)[:alerts], now_ms), title="Latest alerts", title_align="left"),
    )


def _pair(pair: tuple[float | None, float | None]) -> str:
    return "/".join(milliseconds(value).removesuffix(" ms") for value in pair) + " ms"


def _figures(view: View, connector: str, topics: str, now_ms: int) -> RenderableType:
    grid = Table.grid(padding=(0, 3), expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    rules = "  ".join(f"{plain(rule)} {count}" for rule, count in view.by_rule.most_common())
    dead = f", {view.dead} dead letters" if view.dead else ""
    grid.add_row("connector", Text(connector, "green" if connector == "live" else "yellow"))
    grid.add_row("topics", Text(topics))
    grid.add_row("coverage", Text(view.completeness.text))
    grid.add_row("orders", f"{view.orders:,} ({view.orders_per_second(now_ms):.1f}/s{dead})")
    for path, (p50, p99) in view.latencies().items():
        grid.add_row(path, f"p50 {milliseconds(p50)}   p99 {milliseconds(p99)}")
    grid.add_row("alerts", Text(f"{view.alerts:,}  {rules}"))
    return grid


def _wallets(top: Iterable[tuple[Wallet, Window]]) -> RenderableType:
    table = Table(box=None, expand=True)
    table.add_column("wallet")
    for title in ("orders", "volume", "net flow", "markets"):
        table.add_column(title, justify="right", no_wrap=True)
    for wallet, window in top:
        table.add_row(
            Text(plain(short(wallet.wallet))),
            f"{window.orders:,}",
            dollars(window.volume),
            dollars(window.net_flow),
            str(window.markets),
        )
    return table


def _alerts(alerts: Iterable[Alert], now_ms: int) -> RenderableType:
    """Texts come from strangers' market titles: they are shown, never obeyed; two lines each, however long."""
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True, justify="right", min_width=len("59 min"))
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for alert in alerts:
        rule = (plain(alert.rule), _STYLES.get(alert.severity, ""))
        grid.add_row(age(now_ms - alert.as_of), Text.assemble(rule, "  ", plain(alert.message)))
        grid.add_row("", Text(plain(f"{short(alert.subject)}  {alert.reason}"), "dim"))
    return grid
