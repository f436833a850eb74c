from __future__ import annotations

import sys
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from connector.contract.record import encode
from streams.__main__ import main
from streams.backtest.report import behind
from streams.commands.orders_file import OrdersFile
from streams.records import Alert, decode
from streams.replay import Totals
from tests.support.feed import RECORDED
from tests.support.logs import START, order
from tests.support.orders import order_data

if TYPE_CHECKING:
    from pathlib import Path

RULES = """
rules:
  - {id: large, scope: wallet, severity: info, message: m, expr: order.notional >= 100.0, cooldown: 0s}
  - {id: busy, scope: wallet, severity: info, message: m, expr: wallet.w1m.orders >= 2, cooldown: 0s}
  - {id: agree, scope: market, severity: info, message: m, expr: market.w1m.wallets >= 2, escalate: market.w1m.wallets}
  - {id: off, scope: wallet, severity: info, message: m, expr: order.price > 0.0, mode: PAUSED}
"""
OTHER = """
rules:
  - {id: large, scope: wallet, severity: info, message: m, expr: order.notional >= 50.0, cooldown: 0s}
  - {id: busy, scope: wallet, severity: info, message: m, expr: wallet.w1m.orders >= 2, cooldown: 0s}
  - {id: new, scope: wallet, severity: info, message: m, expr: order.notional < 1.0, mode: SHADOW}
"""
A, B, C = ("0x" + digits * 20 for digits in ("aa", "bb", "cc"))

ORDERS = (
    order(0, at=0, usdc=150.0, user=A),
    order(1, at=10, usdc=60.0, user=A),
    order(2, at=20, usdc=20.0, user=B),
    order(3, at=30, usdc=20.0, user=C),
    order(4, at=400, usdc=120.0, user=B),
)
"""
    second  0    10      20              30                    60           400
    large   A                                                               B
    busy         A fires                                       is over
    agree                A and B: fires  and C: escalates      is over at 80, when B's order leaves
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with rules and orders."""
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "other.yaml").write_text(OTHER)
    (tmp_path / "orders.jsonl").write_bytes(b"\n".join(map(encode, ORDERS)) + b"\n")
    return tmp_path


def backtest(monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str, rules: str = "rules.yaml") -> int:
    """Run the command on the folder's orders and return its exit code."""
    orders = ("--orders", str(folder / "orders.jsonl"), "--rules", str(folder / rules))
    monkeypatch.setattr(sys, "argv", ["streams", "rules", "backtest", *orders, *options])
    return main()


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what the command printed for programs."""
    printed: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
    return printed


def test_each_rule_is_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What fired, escalated and resolved, for how long, about how many: the timeline is over the orders."""
    assert backtest(monkeypatch, folder, "--json", "--alerts", str(folder / "alerts.jsonl")) == 0
    result = found(capsys)
    counts = ("fired", "escalated", "resolved", "going_on", "median_duration_s", "subjects", "mode")
    assert {row["rule"]: tuple(row[name] for name in counts) for row in result["rules"]} == {
        "large": (2, 0, 0, 0, None, 2, "ACTIVE"),
        "busy": (1, 0, 1, 0, 50.0, 1, "ACTIVE"),
        "agree": (1, 1, 1, 0, 60.0, 1, "ACTIVE"),
        "off": (0, 0, 0, 0, None, 0, "PAUSED"),
    }
    assert (result["orders"], result["first"], result["until"]) == (5, START * 1_000, (START + 400) * 1_000)
    told = [decode(Alert, line) for line in (folder / "alerts.jsonl").read_bytes().splitlines()]
    assert len(told) == result["alerts"] == 7
    assert "5 of 5 orders do not say when they were appended" in result["notes"][0]
    assert "how the orders of different wallets interleave" in result["notes"][-1]


def test_people_see_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Under what was replayed, and what had to be assumed; nothing on stderr, which is no terminal."""
    assert backtest(monkeypatch, folder) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith(
        "5 orders appended 2026-01-04T20:00:00.000Z to 2026-01-04T20:06:40.000Z, 5 by market; 7 alerts"
    )
    assert lines[-4].split() == ["large", "wallet", "ACTIVE", "2", "0", "0", "0", "at", "once", "2", "-"]
    assert lines[-2].split() == ["agree", "market", "ACTIVE", "1", "1", "1", "0", "60", "s", "1", "-"]
    assert told.err == ""


def test_two_rules_files_are_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Side by side with differences, rule by rule and alert by alert."""
    options = ("--compare", str(folder / "other.yaml"))
    assert backtest(monkeypatch, folder, *options, "--json") == 0
    compared = {each["rule"]: each for each in found(capsys)["compared"]}
    assert compared["large"]["alerts"] == {"both": 2, "only_one": 0, "only_other": 1}
    assert compared["busy"]["alerts"] == {"both": 1, "only_one": 0, "only_other": 0}
    assert (compared["agree"]["other"], compared["new"]["first"]) == (None, None)
    assert backtest(monkeypatch, folder, *options) == 0
    text = capsys.readouterr().out
    assert "large (changed)     2 -> 3 (+1)" in text
    assert "agree (only first)" in text


def test_time_goes_on_after_the_last_order_only_when_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever backtests a rule on old orders wants its alerts to end."""
    (folder / "orders.jsonl").write_bytes(b"\n".join(map(encode, ORDERS[:4])))
    assert backtest(monkeypatch, folder, "--json") == 0
    assert {row["rule"]: row["going_on"] for row in found(capsys)["rules"]}["agree"] == 1
    assert backtest(monkeypatch, folder, "--json", "--until", "+1m") == 0
    result = found(capsys)
    assert {row["rule"]: row["going_on"] for row in result["rules"]}["agree"] == 0
    assert result["until"] == (START + 90) * 1_000


def test_the_recorded_rows_of_the_provider_can_be_replayed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a new user does: rows as they came, and the rules shipped."""
    monkeypatch.setattr(sys, "argv", ["streams", "rules", "backtest", "--orders", str(RECORDED), "--json"])
    assert main() == 0
    result = found(capsys)
    assert result["orders"] == 4_533
    assert result["dead"] == {}
    assert sum(row["fired"] for row in result["rules"]) > 20


def test_bad_lines_are_left_out_and_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first one by its number; the fold counts what is an order by looks only."""
    row = msgspec.json.encode(order_data(shares="many"))
    half = encode(ORDERS[0]).replace(b'"notional_micros":150000000,', b"")
    (folder / "orders.jsonl").write_bytes(b"\n".join([encode(ORDERS[0]), b"", b"nonsense", row, half, b"[]"]))
    assert backtest(monkeypatch, folder, "--json") == 0
    result = found(capsys)
    (note,) = [note for note in result["notes"] if "no orders" in note]
    assert note.startswith("3 lines are no orders and were left out, the first is line 3; most often: no order: ")
    assert result["orders"] == 2
    assert sum(result["dead"].values()) == 1


def test_equal_fills_of_one_transaction_are_as_many_orders(tmp_path: Path) -> None:
    """Rows have no ids: the second equal row of a second is the second fill, as the connector counts."""
    row = msgspec.json.encode(order_data())
    other = msgspec.json.encode(order_data(timestamp=order_data()["timestamp"] + 1))
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([row, row, other]))
    (batch,) = OrdersFile(path).batches("orders.v1", lambda _: 0)
    ids = [msgspec.json.decode(record.value or b"")["event_id"].split("-")[1] for record in batch]
    assert ids == ["0", "1", "0"]
    assert [record.offset for record in batch] == [0, 1, 2]


def test_a_file_in_any_order_is_replayed_in_the_order_of_append_times(tmp_path: Path) -> None:
    """
    Append times are those before the lines, else the orders' own; equal ones stay in the order of the file.

    Partitions are read one after the other by kafka-console-consumer, so a dump is never in order.
    """
    stamped = [
        b"LogAppendTime:%d\t" % ((START + 5) * 1_000 + number // 4) + encode(order(number)) for number in range(40)
    ]
    plain = [encode(order(100 + number, at=number)) for number in range(12)]
    numbered = list(enumerate([*stamped, *plain]))
    Random(1).shuffle(numbered)
    path = tmp_path / "orders.jsonl"
    path.write_bytes(b"\n".join(line for _, line in numbered))
    file = OrdersFile(path)
    (batch,) = file.batches("orders.v1", lambda _: 0)
    stamps = {number: (START + 5) * 1_000 + number // 4 for number in range(40)}
    stamps |= {40 + number: (START + number) * 1_000 for number in range(12)}
    expected = sorted((number for number, _ in numbered), key=stamps.__getitem__)
    assert [record.timestamp for record in batch] == [stamps[number] for number in expected]
    found = [msgspec.json.decode(record.value or b"")["event_id"] for record in batch]
    assert found == [msgspec.json.decode(dict(numbered)[number].split(b"\t")[-1])["event_id"] for number in expected]
    assert file.unstamped == 12


def test_a_topic_by_market_that_is_behind_is_told() -> None:
    """Market alerts that are missing for that reason would look like rules that do not fire."""
    totals = Totals()
    totals.forwarded = totals.by_market = 7
    assert behind(totals, "by-market") == []
    totals.by_market = 5
    assert behind(totals, "by-market")[0].startswith("by-market lacks 2 of 7 orders")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rules", "none.yaml"), "none.yaml"),
        (("--orders", "none.jsonl"), "none.jsonl"),
        (("--until", "later"), "expected now, or +90s"),
    ],
)
def test_what_is_wrong_is_named(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, str],
    said: str,
) -> None:
    """Exit code 2."""
    try:
        code = backtest(monkeypatch, folder, *options)
    except SystemExit as ended:  # argparse's own
        code = int(ended.code or 0)
    assert code == 2
    assert said in capsys.readouterr().err


def test_a_file_without_an_order_is_the_wrong_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends as if there were none: a script that checks rules with it must not go on as if all were well."""
    (folder / "orders.jsonl").write_text('{"not": "an order"}\n')
    assert backtest(monkeypatch, folder, "--json") == 2
    said = capsys.readouterr()
    assert said.out == ""
    first, second = said.err.splitlines()
    assert first == f"{folder / 'orders.jsonl'}: no line is an order"
    assert second.startswith("1 lines are no orders and were left out, the first is line 1")
    (folder / "orders.jsonl").write_text("")
    assert backtest(monkeypatch, folder) == 2
