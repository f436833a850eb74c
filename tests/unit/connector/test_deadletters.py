from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from connector.deadletters import DeadLimit, suspects
from tests.support.orders import WALLET, order_data

RAW = json.dumps({"type": "event", "data": order_data()}).encode()
TX = order_data()["tx_hash"]


def test_a_broken_frame_names_wallet_and_transaction() -> None:
    """Whatever else is wrong with it; the market's id, as long as a transaction's, is none."""
    assert suspects(RAW.replace(b"{", b"["), {WALLET}) == ({WALLET}, {TX})


def test_letter_case_and_spacing_do_not_matter() -> None:
    """Addresses and hashes are compared in lower case."""
    assert suspects(b'"TX_hash"  :\n"' + TX.upper().encode() + b'" ' + WALLET.upper().encode(), {WALLET}) == (
        {WALLET},
        {TX},
    )


def test_only_watched_wallets_are_suspects() -> None:
    """Takers and contracts are in every frame."""
    assert suspects(RAW, set()) == (set(), {TX})


@given(st.integers(0, len(RAW)))
def test_what_is_cut_off_is_no_evidence(length: int) -> None:
    """Each name counts only as a whole: half a hash might be anybody's."""
    wallets, transactions = suspects(RAW[:length], {WALLET, WALLET[:-1]})
    assert wallets == ({WALLET} if WALLET.encode() in RAW[:length] else set())
    assert transactions == ({TX} if f'{TX}"'.encode() in RAW[:length] else set())


def test_longer_hex_is_no_address() -> None:
    """The first 40 digits of a hash are nobody's wallet."""
    assert suspects(TX.encode(), {TX[:42]}) == (set(), set())


@given(st.binary(max_size=200))
def test_any_bytes_can_be_searched(raw: bytes) -> None:
    """No bytes raise anything."""
    assert suspects(raw, {WALLET}) == (set(), set())


def test_the_limit_is_a_rate() -> None:
    """
    More than 3 within 60 s are too many.

    s:  0   1   2  60  61     62
        .   .   .   .   .      .     each time at most 3 in the last 60 s
                              62.5   the fourth since 2.5
    """
    limit = DeadLimit(3, window_s=60)
    assert [limit.count(now) for now in (0, 1, 2, 60, 61, 62)] == [False] * 6
    assert limit.count(62.5)


@given(st.lists(st.floats(0, 200), max_size=60), st.integers(0, 10))
def test_the_limit_counts_like_the_naive_way(times: list[float], most: int) -> None:
    """Against a count of all of them over the window's half-open interval."""
    limit = DeadLimit(most, window_s=60)
    for number, now in enumerate(times := sorted(times)):
        assert limit.count(now) == (sum(now - each < 60 for each in times[: number + 1]) > most)
