from __future__ import annotations

import pytest

from connector.contract.coverage import CoverageRecord, Standing
from connector.contract.watch import WatchRecord
from connector.doctor import judge_wallets as judge
from connector.packing import Quota
from connector.watch.listed import STALE_MS, Listed, Row

NOW = 1_794_000_000_000
DAY_MS = 86_400_000
FREE = Quota(2, 5)


def wallet(number: int) -> str:
    """Return an address."""
    return f"0x{number:040x}"


def row(number: int, standing: Standing | None = None, *, since: int | None = None, age_ms: int = 1_000) -> Row:
    """Return a wallet on the list, and what a connector says of it, if one does."""
    coverage = None
    if standing is not None:
        coverage = CoverageRecord(
            wallet=wallet(number), standing=standing, owner="c0", covered_until_ms=NOW, verified_until_ms=NOW,
            at_ms=NOW - age_ms,
        )  # fmt: skip
    return Row(wallet(number), WatchRecord(wallet=wallet(number), since=since), coverage)


@pytest.mark.parametrize(
    ("wallets", "keys", "replicas", "found"),
    [
        (0, 1, 1, {"quota": "warn"}),
        (10, 1, 1, {"quota": "ok"}),
        (11, 1, 1, {"quota": "fail"}),
        (11, 2, 1, {"quota": "ok"}),
        (16, 2, 2, {"quota": "ok"}),
        (17, 2, 2, {"quota": "ok", "quota shared": "warn"}),
        (21, 2, 2, {"quota": "fail"}),
    ],
)
def test_wallets_need_room(wallets: int, keys: int, replicas: int, found: dict[str, str]) -> None:
    """Up to the last place; several connectors share it unevenly."""
    checks = judge.quota([wallet(n) for n in range(wallets)], FREE, keys=keys, replicas=replicas, mirror=None)
    assert {check.name: check.status for check in checks} == found


def test_who_finds_no_room_is_counted() -> None:
    """With the subscriptions that would be needed."""
    (check,) = judge.quota([wallet(n) for n in range(13)], FREE, keys=1, replicas=1, mirror=None)
    assert check.seen == "13 wallets: 3 of 2 subscriptions, 5 wallets each: 3 find no room and bring no orders"


def test_a_mirror_has_a_quota_of_its_own() -> None:
    """Its keys may be of another plan."""
    checks = judge.quota([wallet(n) for n in range(8)], FREE, keys=1, replicas=1, mirror=Quota(1, 5))
    assert {check.name: check.status for check in checks} == {"quota": "ok", "quota mirror": "fail"}


def test_the_list_shows_who_is_live() -> None:
    """What connectors said a minute ago counts no more."""
    assert judge.standing([], NOW).seen == "empty"
    rows = [row(1, "live"), row(2, "live", age_ms=STALE_MS + 1), row(3)]
    assert judge.standing(rows, NOW).seen == "3 wallets, 1 live"
    full = judge.standing([row(1, "live"), row(2, "no-room"), row(3, "refused")], NOW)
    assert (full.status, wallet(2) in full.seen, wallet(3) in full.seen) == ("fail", True, True)
    assert judge.standing([row(2, "no-room", age_ms=STALE_MS + 1)], NOW).status == "ok"


def test_records_that_cannot_be_read_are_told() -> None:
    """A few of them."""
    listed = Listed()
    assert judge.readable(listed) is None
    for number in range(5):
        listed.watch.absorb(wallet(number).encode(), b"{}")
    check = judge.readable(listed)
    assert check is not None
    assert (check.status, check.seen.splitlines()[-1]) == ("warn", "and 2 more")


@pytest.mark.parametrize(
    ("days_ago", "retention_ms", "status"),
    [
        (29, 35 * DAY_MS, "ok"),
        (31, 35 * DAY_MS, "warn"),
        (8, 7 * DAY_MS, "warn"),
        (6, 7 * DAY_MS, "ok"),
        (29, None, "ok"),
    ],
)
def test_what_topics_have_forgotten_cannot_be_told_from_what_is_missing(
    days_ago: int, retention_ms: int | None, status: str
) -> None:
    """A watch that begins before that could publish twice."""
    now_s = NOW // 1000
    new = row(1, since=now_s - days_ago * 86_400)
    assert judge.since([new, row(2)], retention_ms=retention_ms, now_s=now_s).status == status
    begun = row(1, "live", since=now_s - days_ago * 86_400)
    assert judge.since([begun], retention_ms=retention_ms, now_s=now_s).status == "ok"
