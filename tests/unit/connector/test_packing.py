from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.packing import Quota, pack


@given(st.lists(st.sampled_from([f"0x{n:040x}" for n in range(40)])), st.integers(1, 6), st.integers(1, 6))
def test_every_wallet_is_packed_once_or_left_out_by_name(wallets: list[str], subscriptions: int, each: int) -> None:
    """Nothing disappears, nothing is packed twice, no quota is broken, no room is wasted."""
    packing = pack(wallets, Quota(subscriptions, each))
    packed = [wallet for group in packing.groups for wallet in group]
    assert [*packed, *packing.left_out] == list(dict.fromkeys(wallets))
    assert len(packing.groups) <= subscriptions
    assert all(1 <= len(group) <= each for group in packing.groups)
    assert not packing.left_out or len(packed) == subscriptions * each


def test_letter_case_makes_no_second_wallet() -> None:
    """A wallet named twice in different case counts once."""
    assert pack(["0xAB", "0xab"], Quota(2, 5)).groups == (("0xab",),)


def test_the_free_tier_holds_ten() -> None:
    """2 x 5; the eleventh is left out by name."""
    packing = pack((str(n) for n in range(11)), Quota(2, 5))
    assert packing.groups == (("0", "1", "2", "3", "4"), ("5", "6", "7", "8", "9"))
    assert packing.left_out == ("10",)
    assert Quota(2, 5).wallets == 10
