from __future__ import annotations

import json
from io import StringIO

from rich.console import Console

from connector.contract.coverage import CoverageRecord, OpenGap, Standing
from connector.contract.record import encode
from connector.contract.watch import WatchRecord
from connector.watch.listed import STALE_MS, Listed, as_json
from connector.watch.table import table

A, B, C, D = (f"0x{letter * 40}" for letter in "abcd")
NOW = 1_794_000_000_000


def covered(
    wallet: str, standing: Standing = "live", *, at_ms: int = NOW - 2_000, gap: OpenGap | None = None
) -> CoverageRecord:
    """Return what a replica says of a wallet."""
    return CoverageRecord(
        wallet=wallet,
        standing=standing,
        owner="connector-0",
        subscription="sub_1",
        live_since_ms=NOW - 7_200_000,
        covered_until_ms=NOW - 3_000,
        verified_until_ms=NOW - 120_000,
        last_order_ms=None,
        gap=gap,
        at_ms=at_ms,
    )


def listed(
    watched: dict[str, WatchRecord | bytes | None], coverage: dict[str, CoverageRecord | bytes | None] | None = None
) -> Listed:
    """Return the state after these records, in order."""
    state = Listed()
    for topic, records in ((state.watch, watched), (state.coverage, coverage or {})):
        for wallet, record in records.items():
            value = record if record is None or isinstance(record, bytes) else encode(record)
            topic.absorb(wallet.encode(), value)
    return state


def drawn(state: Listed, width: int = 200) -> str:
    """Return the table as text."""
    console = Console(file=StringIO(), width=width, color_system=None)
    console.print(table(state.rows(), now_ms=NOW, width=width))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_last_record_of_a_wallet_counts() -> None:
    """A later one replaces it, a tombstone ends the watch."""
    state = listed({A: WatchRecord(wallet=A, label="old"), B: WatchRecord(wallet=B)})
    state.watch.absorb(A.encode(), encode(WatchRecord(wallet=A, label="new")))
    state.watch.absorb(B.encode(), None)
    assert [(row.wallet, row.watch and row.watch.label) for row in state.rows()] == [(A, "new")]


def test_wallets_are_in_order_of_labels_and_those_by_settings_are_there() -> None:
    """Labels first, without regard to case; what is covered but not listed is shown too."""
    watched: dict[str, WatchRecord | bytes | None] = {
        D: WatchRecord(wallet=D),
        B: WatchRecord(wallet=B, label="zebra"),
        C: WatchRecord(wallet=C, label="Ant"),
    }
    assert [row.wallet for row in listed(watched, {A: covered(A)}).rows()] == [C, B, A, D]


def test_what_cannot_be_read_is_told_and_changes_nothing() -> None:
    """The record before it stays in force, as for the connector; a good one or a tombstone mends it."""
    state = listed({A: WatchRecord(wallet=A, label="kept"), C: b"{", "0xABC": b"{}"}, {B: b"7"})
    state.watch.absorb(A.encode(), b"[]")
    assert [(row.wallet, row.watch and row.watch.label) for row in state.rows()] == [(A, "kept")]
    assert [fault.split(":")[0] for fault in state.faults] == ["watch-list"] * 3 + ["coverage"]
    assert all(name in " ".join(state.faults) for name in (A, B, C, "0xABC"))
    for key in (A, C):
        state.watch.absorb(key.encode(), encode(WatchRecord(wallet=key)))
    state.watch.absorb(b"0xABC", None)
    state.coverage.absorb(B.encode(), None)
    assert state.faults == []
    state.watch.absorb(None, b"{}")
    assert "key is no wallet in lower case: none" in state.faults[0]


def test_a_wallet_waits_until_it_is_live_by_fresh_news() -> None:
    """Not covered, down, or last heard of over a minute ago: not live. Wallets by settings are not waited for."""
    state = listed(
        {wallet: WatchRecord(wallet=wallet) for wallet in (A, B, C)},
        {A: covered(A), B: covered(B, "down"), C: covered(C, at_ms=NOW - STALE_MS - 1), D: covered(D, "no-room")},
    )
    assert state.waiting(NOW) == [B, C]
    assert state.waiting(NOW + STALE_MS) == [A, B, C]
    assert listed({A: WatchRecord(wallet=A)}).waiting(NOW) == [A]


def test_the_table_says_who_watches_what_since_when() -> None:
    """One line per wallet, with a summary above."""
    gap = OpenGap(gap_id="g", cause="disconnect", start_ms=NOW - 93_000, recovered=3)
    state = listed(
        {A: WatchRecord(wallet=A, label="whale\x1b[2J"), B: WatchRecord(wallet=B), C: WatchRecord(wallet=C)},
        {A: covered(A, gap=gap), B: covered(B, at_ms=NOW - 300_000), D: covered(D, "no-room")},
    )
    title, _, *lines = drawn(state).splitlines()
    assert title.startswith("4 wallets: ")
    assert all(part in title for part in ("1 live", "1 silent", "1 no-room", "1 waiting"))
    by_wallet = {line.split()[0]: line for line in lines}
    assert "whale\N{REPLACEMENT CHARACTER}[2J" in by_wallet[A]
    assert "live" in by_wallet[A]
    assert "disconnect, 1 min, 3 recovered" in by_wallet[A]
    assert "2 h ago" in by_wallet[A]
    assert "silent for 5 min, was live" in by_wallet[B]
    assert by_wallet[C].split()[1:] == ["waiting"]
    assert "(by settings)" in by_wallet[D]


def test_a_narrow_terminal_gets_short_addresses() -> None:
    """So that the rest has room."""
    assert "0xaaaa...aaaa" in drawn(listed({A: WatchRecord(wallet=A)}), width=100)


def test_programs_get_the_records() -> None:
    """As on the topics, with null for what is not there."""
    state = listed({A: WatchRecord(wallet=A, since=7)}, {D: covered(D)})
    rows = json.loads(as_json(state.rows()))
    assert [(row["wallet"], row["watch"], row["coverage"]) for row in rows] == [
        (A, {"schema": 1, "wallet": A, "label": None, "note": None, "since": 7}, None),
        (D, None, json.loads(encode(covered(D)))),
    ]
