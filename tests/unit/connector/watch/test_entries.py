from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.contract.errors import InvalidAddress
from connector.contract.watch import WatchRecord
from connector.watch.entries import BadLine, Entry, InvalidEntry, make_entry, parse_file
from connector.watch.since import InvalidSince

NOW = 1_794_000_000
A, B, C = (f"0x{letter * 40}" for letter in "abc")


def test_an_entry_changes_what_it_names() -> None:
    """None leaves what is on the list, "" empties it, a new wallet begins with nothing."""
    known = WatchRecord(wallet=A, label="whale", note="old", since=7)
    assert Entry(A).over(known) == known
    assert Entry(A, label="fish", since=9).over(known) == WatchRecord(wallet=A, label="fish", note="old", since=9)
    assert Entry(A, label="", note="").over(known) == WatchRecord(wallet=A, since=7)
    assert Entry(A, note="new").over(None) == WatchRecord(wallet=A, note="new")


def test_an_entry_is_checked() -> None:
    """Address, time and texts, each with an error of its own."""
    assert make_entry(A.upper(), label=" whale ", since="2h", now_s=NOW) == Entry(A, label="whale", since=NOW - 7200)
    with pytest.raises(InvalidAddress):
        make_entry("0x1", now_s=NOW)
    with pytest.raises(InvalidSince):
        make_entry(A, since="2099-01-01", now_s=NOW)
    with pytest.raises(InvalidEntry, match="label has 101 characters, at most 100"):
        make_entry(A, label="x" * 101, now_s=NOW)
    with pytest.raises(InvalidEntry, match="note holds characters that cannot be printed"):
        make_entry(A, note="\x1b[2J", now_s=NOW)


@pytest.mark.parametrize(
    "text",
    [
        f"{A},whale,of January\n{B}\n{C},,fish\n",
        f"{A}\twhale\tof January\r\n{B}\r\n{C}\t\tfish\r\n",
        f"\ufeffwallet;label;note\n{A};whale;of January\n{B};;\n{C};;fish",
        f"Note,Address,Name,PnL\nof January,{A},whale,7\n,{B},,\nfish,{C},,\n",
        f"# my wallets\n\n  {A} , whale, of January\n{B}\n# {A}\n{C},,fish",
        f'{A},"whale","of January"\n{B}\n{C},"",fish\n',
    ],
    ids=["commas", "tabs", "semicolons", "other columns", "comments", "quotes"],
)
def test_files_in_many_forms_say_the_same(text: str) -> None:
    """Spreadsheets differ in delimiters, line ends, marks, quotes and columns."""
    entries, bad = parse_file(text, NOW)
    assert entries == [Entry(A, label="whale", note="of January"), Entry(B), Entry(C, note="fish")]
    assert bad == []


def test_every_bad_line_is_reported_with_its_number() -> None:
    """The good ones are read all the same."""
    text = f"""# wallets
{A},whale
vitalik.eth,friend
{B},"quoted
over two lines",
{B},again
{C},a,b,2h,one,too,many
0x12
,label without wallet
{C},,,2h
"""
    entries, bad = parse_file(text, NOW)
    assert entries == [Entry(A, label="whale"), Entry(B, label="quoted\nover two lines"), Entry(C, since=NOW - 7200)]
    assert [line.number for line in bad] == [3, 6, 7, 8, 9]
    for line, said in zip(bad, ["is a name", "on line 5 already", "7 columns", "2 hex digits", "missing"], strict=True):
        assert said in line.reason


def test_a_quote_that_is_not_closed_is_reported() -> None:
    """It swallows what follows, which is not taken for a note."""
    entries, bad = parse_file(f'{A},ok\n{B},"open\n{C}\n', NOW)
    assert entries == [Entry(A, label="ok")]
    assert bad == [BadLine(3, "is no line of columns: unexpected end of data")]


@given(st.text(alphabet=st.sampled_from(f'{A}",;\t\n\r #x\x00')) | st.text())
def test_any_file_is_read(text: str) -> None:
    """Every row is an entry, a bad line, a comment or empty; nothing is raised."""
    entries, bad = parse_file(text, NOW)
    assert len({entry.wallet for entry in entries}) == len(entries)
    assert all(line.number >= 1 and line.reason for line in bad)
