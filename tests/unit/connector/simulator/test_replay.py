"""Replay of recorded orders, and the timeline that merges it with others."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.order import parse_order
from connector.simulator.replay import InvalidRecording, parse_recording, replay, with_indexes
from connector.simulator.timeline import Batch, merged, stamped

ROWS: list[dict[str, Any]] = [
    {"user": "0xa", "timestamp": 1_700_000_010, "tx_hash": "0x1"},
    {"user": "0xb", "timestamp": 1_700_000_010, "tx_hash": "0x2", "log_index": 9},
    {"user": "0xa", "timestamp": 1_700_000_020, "tx_hash": "0x3"},
]


def test_recorded_seconds_pass_at_the_speed_asked() -> None:
    """
    Orders of one second come together.

    recorded seconds   0 (two orders)   10
    at speed 4         0                2.5
    """
    batches = list(replay(ROWS, speed=4.0, rebase=True))
    assert [(batch.at, batch.rows, batch.block_at) for batch in batches] == [
        (0.0, ROWS[:2], 0.0),
        (2.5, ROWS[2:], 2.5),
    ]


def test_rebased_rows_say_the_time_of_playing() -> None:
    """Times are those of the start plus the offset; without rebasing they are the recorded ones."""
    _, rebased = replay(ROWS, speed=4.0, rebase=True)
    _, kept = replay(ROWS, speed=4.0, rebase=False)
    assert stamped(rebased, 1_800_000_000.9)[0]["timestamp"] == 1_800_000_003
    assert stamped(kept, 1_800_000_000.9) == ROWS[2:]


def test_the_shipped_recording_is_valid_and_complete() -> None:
    """4,533 buys of two wallets, each acceptable to the contract, as they are and with indexes made up."""
    rows = parse_recording((files("connector.simulator") / "data" / "orders.jsonl").read_bytes())
    assert len(rows) == 4_533
    assert {row["side"] for row in rows} == {"BUY"}
    assert len({parse_order(row).user for row in rows}) == 2
    assert all(parse_order(row).order_hash for row in with_indexes(rows))


def test_made_up_indexes_rise_and_replace_nothing_recorded() -> None:
    """Two-second blocks, log indexes within them, and what was recorded stays."""
    first, second, third = with_indexes(ROWS)
    assert (first["log_index"], second["log_index"], third["log_index"]) == (0, 9, 0)
    assert third["block_number"] - first["block_number"] == 5
    assert first["order_hash"] != second["order_hash"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{nonsense", "line 2: not JSON"),
        (b"[]", "line 2: expected an order"),
        (b'{"user":"0xa","timestamp":1.5}', "line 2: expected an order"),
        (b'{"timestamp":1700000000}', "line 2: expected an order"),
    ],
)
def test_a_wrong_line_is_named(line: bytes, message: str) -> None:
    """The error says which line of the file."""
    with pytest.raises(InvalidRecording, match=message):
        parse_recording(b'{"user":"0xa","timestamp":1700000000}\n' + line)


@given(st.lists(st.lists(st.floats(0, 100)).map(sorted), max_size=3))
def test_merging_keeps_everything_in_order_of_time(offsets: list[list[float]]) -> None:
    """The merged timeline is sorted and holds every batch of every source."""
    sources = [
        [Batch(at=at, rows=[{"from": (number, at)}], block_at=None) for at in ats] for number, ats in enumerate(offsets)
    ]
    timeline = list(merged(*sources))
    assert [batch.at for batch in timeline] == sorted(at for ats in offsets for at in ats)
    assert sorted(batch.rows[0]["from"] for batch in timeline) == sorted(
        batch.rows[0]["from"] for source in sources for batch in source
    )
