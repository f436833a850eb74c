from __future__ import annotations

from io import StringIO

import msgspec
from rich.console import Console

from connector.local.audit import Audit
from connector.local.completeness import Completeness
from connector.local.seen import Seen
from connector.local.summary import alerts_by_rule, faults, summary


def alert(alert_id: str, rule: str, latency_ms: int) -> Seen:
    """Return an alert published `latency_ms` after its order was received."""
    value = msgspec.json.encode({"alert_id": alert_id, "rule": rule})
    headers = (("received_ns", b"0"), ("published_ns", b"%d" % (latency_ms * 1_000_000)))
    return Seen(0, 0, 0, b"f", value, headers)


def result(**changes: int | dict[str, tuple[int, int]] | tuple[str, ...]) -> Audit:
    """Return an audit without findings, but for `changes`."""
    clean = {"executed": 7, "published": 7, "missing": 0, "duplicates": 0, "unknown": 0}
    return msgspec.convert({**clean, "miscounted": {}, "examples": (), **changes}, Audit)


def test_alerts_are_counted_by_id() -> None:
    """A repeated alert is one alert."""
    assert alerts_by_rule([alert("1", "a", 0), alert("2", "b", 0), alert("1", "a", 0)]) == {"a": 1, "b": 1}


def test_the_table_holds_every_figure() -> None:
    """Orders, verdicts, statistics, alerts by rule, latencies."""
    console = Console(file=StringIO(), width=100)
    orders = [
        Seen(0, number, 5, b"w", b"", (("source", source), ("received_ns", b"0")))
        for number, source in enumerate((b"ws", b"backfill", b"ws"))
    ]
    statistics = [Seen(0, offset, 0, b"w", b"", ()) for offset in range(3)]
    completeness = Completeness()
    alerts = [alert("1", "burst", 9)]
    completeness.ended.update(closed=3, unrecoverable=1)
    console.print(summary(result(missing=2), completeness, orders=orders, statistics=statistics, alerts=alerts))
    assert isinstance(console.file, StringIO)
    rows = {
        cells[1].strip(): cells[2].strip()
        for line in console.file.getvalue().splitlines()
        if len(cells := line.split("\u2502")) == 4
    }
    assert rows["orders executed by the simulator for watched wallets"] == "7"
    assert rows["missing"] == "2"
    assert rows["duplicates"] == "0"
    assert rows["statistics records"] == "3 of 1 wallets"
    assert rows["orders that the socket missed, from REST"] == "1"
    assert (rows["gaps closed, per wallet"], rows["gaps unrecoverable"], rows["gaps still open"]) == ("3", "1", "0")
    assert rows["wallets live at the end"] == "0 of 0"
    assert rows["burst"] == "1"
    assert rows["wire -> Kafka, p50 / p99"] == "5.0 ms / 5.0 ms"
    assert rows["wire -> alert, p50 / p99"] == "9.0 ms / 9.0 ms"


def test_findings_are_named() -> None:
    """Ids of orders and wallets, so that one can look; nothing when there is nothing."""
    assert faults(result()) == []
    found = result(examples=("missing abc",), miscounted={"0xa": (2, 1)})
    assert faults(found) == ["missing abc", "statistics of 0xa: 1 orders counted, 2 in the topic"]
