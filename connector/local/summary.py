"""The summary at the end of a demo: figures from the topics and the book, and the verdict. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from rich.table import Table
from rich.text import Text

from connector.local.seen import quantile
from connector.local.view import ALERT_TIME, Notice
from connector.texts import milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connector.local.audit import Audit
    from connector.local.completeness import Completeness
    from connector.local.seen import Seen


_notice = msgspec.json.Decoder(Notice)
_SHOWN_MISCOUNTS = 5


def alerts_by_rule(alerts: Sequence[Seen]) -> Counter[str]:
    """Return the number of alerts of each rule that fired or escalated, each alert id once."""
    decoded = (_notice.decode(seen.value or b"") for seen in alerts)
    rules = {alert.alert_id: alert.rule for alert in decoded if alert.is_news}
    return Counter(rules.values())


def summary(
    audit: Audit,
    completeness: Completeness,
    *,
    orders: Sequence[Seen],
    statistics: Sequence[Seen],
    alerts: Sequence[Seen],
) -> Table:
    """Return the table."""
    rules = alerts_by_rule(alerts)
    table = Table(title="Summary: the simulator's book against the topics", title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_row("orders executed by the simulator for watched wallets", f"{audit.executed:,}")
    table.add_row("orders in the topic", f"{audit.published:,}")
    table.add_row("duplicates", _verdict(audit.duplicates))
    table.add_row("missing", _verdict(audit.missing))
    table.add_row("not in the book", _verdict(audit.unknown))
    table.add_row("wallets live at the end", f"{completeness.live:,} of {len(completeness.wallets):,}")
    table.add_row("gaps still open", _verdict(completeness.open))
    table.add_row("gaps unrecoverable", _verdict(completeness.ended["unrecoverable"]))
    table.add_row("gaps closed, per wallet", f"{completeness.ended['closed']:,}")
    table.add_row("orders that the socket missed, from REST", f"{sum(map(_backfilled, orders)):,}")
    table.add_row("wallets whose statistics differ", _verdict(len(audit.miscounted)))
    wallets = len({seen.key for seen in statistics})
    table.add_row("statistics records", f"{len(statistics):,} of {wallets:,} wallets")
    table.add_row("alerts", f"{rules.total():,} of {len(rules)} rules")
    for rule, count in rules.most_common():
        table.add_row(Text(f"  {rule}"), f"{count:,}")
    _latency(table, "wire -> Kafka", [seen.since_wire_ms() for seen in orders])
    _latency(table, "wire -> alert", [seen.since_wire_ms(ALERT_TIME) for seen in alerts])
    return table


def faults(audit: Audit) -> list[str]:
    """Return the audit's findings for people, one per line; none when it is clean."""
    lines = list(audit.examples)
    for wallet, (orders, counted) in list(audit.miscounted.items())[:_SHOWN_MISCOUNTS]:
        lines.append(f"statistics of {wallet}: {counted} orders counted, {orders} in the topic")
    return lines


def _backfilled(seen: Seen) -> bool:
    return ("source", b"backfill") in seen.headers


def _verdict(count: int) -> Text:
    return Text(f"{count:,}", "bold red" if count else "green")


def _latency(table: Table, path: str, samples: Sequence[float | None]) -> None:
    values = [sample for sample in samples if sample is not None]
    p50, p99 = quantile(values, 0.5), quantile(values, 0.99)
    table.add_row(f"{path}, p50 / p99", f"{milliseconds(p50)} / {milliseconds(p99)}")
