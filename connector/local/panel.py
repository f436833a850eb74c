"""The view as something rich can draw, or as one line. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from connector.local.view import Alert, View, Wallet, Window

_TOP_WALLETS = 8
_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def dollars(micros: int) -> str:
    """Return micro-USDC as dollars and cents."""
    return f"{'-' if micros < 0 else ''}${abs(micros) / 1e6:,.2f}"


def milliseconds(value: float | None) -> str:
    """Return a latency for people; a dash when there is none yet."""
    return "-" if value is None else f"{value:.1f} ms"


def short(subject: str) -> str:
    """Return a wallet or market id in a form that fits a column."""
    return subject if len(subject) <= 13 else f"{subject[:6]}...{subject[-4:]}"


def status_line(view: View, connector: str, now_ms: int) -> str:
    """Return the whole state on one line, for logs and pipes."""
    latency = ", ".join(
        f"{path} p50 {milliseconds(p50)} p99 {milliseconds(p99)}" for path, (p50, p99) in view.latencies().items()
    )
    return (
        f"connector {connector} | {view.orders} orders, {view.orders_per_second(now_ms):.1f}/s |"
        f" {len(view.wallets)} wallets | {view.alerts} alerts | {latency}"
    )


def draw(view: View, connector: str, now_ms: int) -> RenderableType:
    """Return the live view."""
    return Group(
        Panel(_figures(view, connector, now_ms), title="walletstream", title_align="left"),
        Panel(_wallets(view.top_wallets(_TOP_WALLETS)), title="Top wallets by volume, 1 h", title_align="left"),
        Panel(_alerts(view.latest), title="Latest alerts", title_align="left"),
    )


def _figures(view: View, connector: str, now_ms: int) -> RenderableType:
    grid = Table.grid(padding=(0, 3))
    rules = "  ".join(f"{rule} {count}" for rule, count in view.by_rule.most_common())
    dead = f", {view.dead} dead letters" if view.dead else ""
    grid.add_row("connector", Text(connector))
    grid.add_row("orders", f"{view.orders:,} ({view.orders_per_second(now_ms):.1f}/s{dead})")
    for path, (p50, p99) in view.latencies().items():
        grid.add_row(path, f"p50 {milliseconds(p50)}   p99 {milliseconds(p99)}")
    grid.add_row("alerts", Text(f"{view.alerts:,}  {rules}"))
    return grid


def _wallets(top: Iterable[tuple[Wallet, Window]]) -> RenderableType:
    table = Table(box=None, expand=True)
    table.add_column("wallet")
    for title in ("orders", "volume", "net flow", "markets"):
        table.add_column(title, justify="right")
    for wallet, window in top:
        table.add_row(
            short(wallet.wallet),
            f"{window.orders:,}",
            dollars(window.volume),
            dollars(window.net_flow),
            str(window.markets),
        )
    return table


def _alerts(alerts: Iterable[Alert]) -> RenderableType:
    """Texts come from strangers' market titles: they are shown as they are, never as markup."""
    table = Table.grid(padding=(0, 2))
    for alert in alerts:
        at = datetime.fromtimestamp(alert.as_of / 1000, UTC).strftime("%H:%M:%S")
        table.add_row(at, Text(alert.rule, _STYLES.get(alert.severity, "")), Text(alert.message))
        table.add_row("", Text(short(alert.subject), "dim"), Text(alert.reason, "dim"))
    return table
