from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connector.packing import Group, Packing, Quota, repack

Keys = tuple[dict[int, Group], ...]

WALLETS = [f"w{n:02}" for n in range(30)]
QUOTAS = st.lists(st.builds(Quota, st.integers(0, 4), st.integers(1, 5)), min_size=1, max_size=3)
WISHES = st.lists(st.lists(st.sampled_from(WALLETS)), max_size=6)


def places(keys: Keys) -> dict[str, tuple[int, int]]:
    """Return key and subscription of each wallet; a wallet placed twice is a failure."""
    placed = [(w, (key, n)) for key, groups in enumerate(keys) for n, group in groups.items() for w in group]
    assert len(placed) == len(dict(placed))
    return dict(placed)


def pack(wanted: list[str], *quotas: Quota) -> Packing:
    """Pack from nothing."""
    return repack([{} for _ in quotas], wanted, quotas)


@given(QUOTAS, WISHES)
def test_every_change_keeps_what_it_can(quotas: list[Quota], wishes: list[list[str]]) -> None:
    """No quota is broken, nobody moves, nothing disappears, no room is wasted, equal groups are the same object."""
    keys: Keys = tuple({} for _ in quotas)
    for wanted in wishes:
        packing = repack(keys, wanted, quotas)
        before, after = places(keys), places(packing.keys)
        for groups, quota in zip(packing.keys, quotas, strict=True):
            assert all(0 <= n < quota.subscriptions for n in groups)
            assert all(1 <= len(group) <= quota.wallets_each for group in groups.values())
        assert all(after[wallet] == place for wallet, place in before.items() if wallet in wanted)
        assert after.keys() | set(packing.left_out) == set(wanted)
        room = sum(quota.subscriptions * quota.wallets_each for quota in quotas)
        assert len(after) == min(room, len(set(wanted)))
        newcomers = [wallet for wallet in dict.fromkeys(wanted) if wallet not in before]
        assert newcomers == [wallet for wallet in newcomers if wallet in after] + list(packing.left_out)
        for old, new in zip(keys, packing.keys, strict=True):
            assert all(group is new[n] for n, group in old.items() if new.get(n) == group)
        keys = packing.keys


@given(QUOTAS, WISHES)
def test_who_loses_a_wallet_takes_newcomers_first(quotas: list[Quota], wishes: list[list[str]]) -> None:
    """Another subscription changes only if those that change anyway are full."""
    keys: Keys = tuple({} for _ in quotas)
    for wanted in wishes:
        packing = repack(keys, wanted, quotas)
        changed = {
            (key, n)
            for key, (old, new) in enumerate(zip(keys, packing.keys, strict=True))
            for n in old.keys() | new.keys()
            if old.get(n) != new.get(n)
        }
        losers = {
            (key, n) for key, old in enumerate(keys) for n, group in old.items() if not set(wanted).issuperset(group)
        }
        full = all(len(packing.keys[key].get(n, ())) == quotas[key].wallets_each for key, n in losers)
        assert losers <= changed
        assert changed == losers or full
        keys = packing.keys


def test_a_swap_changes_one_subscription() -> None:
    """The newcomer takes the place of who left, not the free one in another subscription."""
    keys = pack(["a", "b", "c"], Quota(2, 2)).keys
    assert keys == ({0: ("a", "b"), 1: ("c",)},)
    assert repack(keys, ["b", "c", "d"], [Quota(2, 2)]).keys == ({0: ("b", "d"), 1: ("c",)},)


def test_an_empty_subscription_ends_and_its_number_is_used_again() -> None:
    """Existing subscriptions are preferred to new ones."""
    keys = pack(["a", "b", "c"], Quota(2, 2)).keys
    keys = repack(keys, ["c"], [Quota(2, 2)]).keys
    assert keys == ({1: ("c",)},)
    keys = repack(keys, ["c", "d"], [Quota(2, 2)]).keys
    assert keys == ({1: ("c", "d")},)
    assert repack(keys, ["c", "d", "e"], [Quota(2, 2)]).keys == ({1: ("c", "d"), 0: ("e",)},)


def test_a_second_key_is_used_when_the_first_is_full() -> None:
    """And existing subscriptions of the second are preferred to new ones of the first."""
    quotas = [Quota(2, 1), Quota(1, 2)]
    keys = pack(["a", "b", "c"], *quotas).keys
    assert keys == ({0: ("a",), 1: ("b",)}, {0: ("c",)})
    keys = repack(keys, ["a", "c"], quotas).keys
    assert repack(keys, ["a", "c", "d"], quotas).keys == ({0: ("a",)}, {0: ("c", "d")})


def test_who_was_left_out_gets_the_first_place_that_is_free() -> None:
    """The free tier holds ten; the eleventh waits until one goes."""
    packing = pack(WALLETS[:11], Quota(2, 5))
    assert packing.left_out == ("w10",)
    packing = repack(packing.keys, WALLETS[1:11], [Quota(2, 5)])
    assert packing.left_out == ()
    assert packing.keys[0][0] == ("w01", "w02", "w03", "w04", "w10")
