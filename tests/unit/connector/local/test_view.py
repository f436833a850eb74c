from __future__ import annotations

import json
from importlib.resources import files
from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console

from connector.local.panel import draw, status
from connector.local.seen import Seen
from connector.local.view import RATE_SECONDS, Topic, View
from connector.texts import age, dollars, milliseconds, plain, short

SECOND = 1_000


def order(at_ms: int, *, received_ms: float | None = None) -> Seen:
    """Return an order that arrived at the broker at `at_ms`."""
    headers = () if received_ms is None else (("received_ns", b"%d" % round(received_ms * 1e6)),)
    return Seen(0, 0, at_ms, b"w", b"{}", headers)


def statistics(wallet: str, volume: int, *, as_of_offset: int = 0, orders: int = 1) -> Seen:
    """Return a statistics record with one window, and a field that the view does not know."""
    window = {"orders": orders, "volume": volume, "net_flow": -volume, "markets": 2, "later": 1}
    value = {"wallet": wallet, "as_of_offset": as_of_offset, "windows": {"1h": window}}
    return Seen(0, 0, 0, wallet.encode(), msgspec.json.encode(value), ())


def alert(alert_id: str, **changes: Any) -> Seen:
    """Return an alert."""
    value = {
        "alert_id": alert_id,
        "rule": "large-order",
        "severity": "warning",
        "subject": "0x" + "ab" * 20,
        "message": "bought a lot",
        "reason": "order.notional 900 > 500",
        "as_of": 1_700_000_000_000,
    }
    headers = (("received_ns", b"1000000"), ("published_ns", b"4000000"))
    return Seen(0, 0, 0, b"f", msgspec.json.encode(value | changes), headers)


def examples(topic: str) -> list[dict[str, Any]]:
    """Return the examples of a topic's contract."""
    found: list[dict[str, Any]] = json.loads((files("connector.contract") / "examples" / f"{topic}.json").read_text())
    return found


def drawn(view: View, connector: str = "live", *, width: int = 120, height: int = 40) -> str:
    """Return the live view, 10 s after the alerts, as a terminal of this size shows it."""
    console = Console(file=StringIO(), width=width, force_terminal=False)
    console.print(draw(view, connector, "p.alerts.v1, ... on k:1", now_ms=1_700_000_010_000, height=height))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def crowded() -> View:
    """Return a view with more wallets and alerts than a terminal shows, of long and wide texts."""
    view = View()
    for number in range(30):
        wide = "\u4e70\u5165\U0001f680 " * 80
        view.absorb("alerts.v1", alert(str(number), rule=f"rule-{number}", message=wide, reason=wide))
        view.absorb("wallet-stats.v1", statistics(f"0x{number:040x}", 10**15 + number))
    return view


def test_the_rate_is_over_the_last_full_seconds() -> None:
    """
    Twenty orders within ten seconds are two per second; the second that runs does not count yet.

        second   0 ... 9 | 10
        orders   2 ... 2 |  7
    """
    view = View()
    for second in range(RATE_SECONDS):
        view.absorb("orders.v1", order(second * SECOND))
        view.absorb("orders.v1", order(second * SECOND + 999))
    for _ in range(7):
        view.absorb("orders.v1", order(10 * SECOND))
    assert view.orders_per_second(10 * SECOND + 500) == 2.0
    assert view.orders_per_second(60 * SECOND) == 0.0
    assert view.orders == 27


def test_memory_of_the_rate_is_bounded() -> None:
    """A view that runs for days keeps seconds, not days."""
    view = View()
    for second in range(1_000):
        view.absorb("orders.v1", order(second * SECOND))
    assert len(view._arrivals) <= 2 * RATE_SECONDS + 1


def test_latencies_come_from_the_headers() -> None:
    """Orders by the broker's stamp, alerts by their own time; none without headers."""
    view = View()
    assert view.latencies() == {"wire -> Kafka": (None, None), "wire -> alert": (None, None)}
    view.absorb("orders.v1", order(1_007, received_ms=1_000))
    view.absorb("alerts.v1", alert("1"))
    assert view.latencies() == {"wire -> Kafka": (7.0, 7.0), "wire -> alert": (3.0, 3.0)}


def test_top_wallets_are_by_volume_and_newest_statistics() -> None:
    """An older record does not replace a newer one, and a wallet whose window ran empty leaves the table."""
    view = View()
    view.absorb("wallet-stats.v1", statistics("a", 500, as_of_offset=2))
    view.absorb("wallet-stats.v1", statistics("a", 9_000, as_of_offset=1))
    view.absorb("wallet-stats.v1", statistics("b", 700))
    view.absorb("wallet-stats.v1", statistics("c", 0, orders=0))
    assert [(wallet.wallet, window.volume) for wallet, window in view.top_wallets(5)] == [("b", 700), ("a", 500)]
    assert [wallet.wallet for wallet, _ in view.top_wallets(1)] == ["b"]


def test_the_end_of_an_alert_and_silenced_ones_are_no_news() -> None:
    """Neither is shown nor counted."""
    view = View()
    view.absorb("alerts.v1", alert("1", transition="resolved"))
    view.absorb("alerts.v1", alert("2", silenced_by=["holiday"]))
    view.absorb("alerts.v1", alert("3", transition="escalated"))
    assert view.alerts == 1
    assert [each.alert_id for each in view.latest] == ["3"]


def test_a_repeated_alert_is_counted_once() -> None:
    """A worker that took over repeats alerts under the same id."""
    view = View()
    for alert_id in ("1", "2", "1"):
        view.absorb("alerts.v1", alert(alert_id))
    assert view.alerts == 2
    assert view.by_rule == {"large-order": 2}
    assert [each.alert_id for each in view.latest] == ["2", "1"]


def test_what_is_not_understood_is_passed_over() -> None:
    """A tombstone or a newer schema does not take the console down."""
    view = View()
    view.absorb("wallet-stats.v1", Seen(0, 0, 0, b"w", None, ()))
    view.absorb("alerts.v1", Seen(0, 0, 0, b"f", b'{"alert": 2}', ()))
    assert view.alerts == len(view.wallets) == 0


def test_dead_letters_are_shown() -> None:
    """What could not be processed is not hidden."""
    view = View()
    view.absorb("orders-dead.v1", order(0))
    assert "1 dead letters" in drawn(view)


def test_wallets_and_gaps_are_shown() -> None:
    """How many wallets are live, and what became of gaps."""
    view = View()
    topics: tuple[Topic, ...] = ("coverage.v1", "gaps.v1")
    for topic in topics:
        for example in examples(topic):
            value = msgspec.json.encode(example["value"])
            view.absorb(topic, Seen(0, 0, 0, example["value"]["wallet"].encode(), value, ()))
    assert "0 of 1 wallets live, gaps 1 open, 1 closed, 1 unrecoverable, 3 orders recovered" in drawn(view)


def test_the_drawing_holds_alerts_with_their_reasons() -> None:
    """Message and reason are there as they are; what looks like markup is no markup."""
    view = View()
    view.absorb("alerts.v1", alert("1", message="[red]won[/red] [link=x]", reason="a > b"))
    view.absorb("wallet-stats.v1", statistics("0x" + "cd" * 20, 12_345_678))
    text = drawn(view)
    assert "[red]won[/red] [link=x]" in text
    assert "a > b" in text
    assert "0xcdcd...cdcd" in text
    assert "$12.35" in text


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 60)])
def test_the_drawing_fits_the_terminal(width: int, height: int) -> None:
    """However much there is, and however long the connector's words are: no line too many, none broken."""
    lines = drawn(crowded(), "disconnected: " + "x" * 300, width=width, height=height - 1).splitlines()
    assert min(height - 1, 48) - 1 <= len(lines) <= height - 1
    assert {cell_len(line) for line in lines} == {width}
    assert sum("..." in line and "$1,000,000,000.00" in line for line in lines) >= 3
    assert sum("rule-" in line and "10 s" in line and "\u2026" in line for line in lines) >= 3
    assert all(any(f" {name} " in line for line in lines) for name in ("connector", "topics", "wire -> alert"))


def test_strangers_texts_do_not_steer_the_terminal() -> None:
    """Escape sequences, line breaks and reversed writing of a title or a provider are shown, not obeyed."""
    view = View()
    view.absorb("alerts.v1", alert("1", message="a\x1b]0;own\x07b\nc\u202ed\x9be", rule="r\x1b[2J", reason="\x08"))
    shown = drawn(view) + "\n".join(status(view, "live", 0))
    assert {each for each in shown if not each.isprintable()} == {"\n"}
    assert "a\ufffd]0;own\ufffdb c\ufffdd\ufffde" in shown


def test_the_status_is_a_line_and_the_latest_alert() -> None:
    """For pipes and logs; the second line only when there is an alert."""
    view = View()
    view.absorb("orders.v1", order(0, received_ms=0))
    (line,) = status(view, "live", 1_000)
    assert line.startswith(
        "connector live | 0 wallets live, 0 with gaps | 1 orders, 0.1/s | 0 alerts | p50/p99 wire -> Kafka 0.0/0.0 ms"
    )
    view.absorb("alerts.v1", alert("1", as_of=0))
    assert status(view, "live", 61_000)[1] == "  latest alert, 1 min ago: large-order: bought a lot"


def test_figures_for_people() -> None:
    """Dollars, milliseconds, ages and ids in short forms."""
    assert (dollars(-1_234_567_890), dollars(10_000)) == ("-$1,234.57", "$0.01")
    assert (milliseconds(None), milliseconds(2.25)) == ("-", "2.2 ms")
    assert [age(ms) for ms in (-5, 59_999, 60_000, 7_200_000, 200_000_000)] == ["0 s", "59 s", "1 min", "2 h", "2 d"]
    assert (short("abc"), short("0x" + "12" * 20)) == ("abc", "0x1212...1212")
    assert plain("caf\u00e9 \u4e70\tx") == "caf\u00e9 \u4e70 x"
