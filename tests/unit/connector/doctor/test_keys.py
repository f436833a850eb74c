from __future__ import annotations

import pytest

from connector.doctor.keys import key_checks

GOOD = "3b1f7c0a-9d52-4e0b-8a77-55d0c2f3e9aa"


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        (GOOD, "ok", "36 characters"),
        ("dome_live_8Jd82kdK20sjd", "ok", "23 characters"),
        (f"Bearer {GOOD}", "fail", "`Bearer`"),
        (f"wss://ws.domeapi.io/{GOOD}", "fail", "URL"),
        (f'"{GOOD}"', "fail", "quotation marks"),
        ("two words", "fail", "blanks"),
        (f"0x{'ab' * 20}", "fail", "address of a wallet"),
        (f"0x{'ab' * 32}", "warn", "private key"),
        ("YOUR_API_KEY", "fail", "placeholder"),
        ("your-api-key-here", "fail", "placeholder"),
        ("<key>", "fail", "placeholder"),
        ("...", "fail", "placeholder"),
        ("${API_KEY}", "fail", "placeholder"),
        ("abc", "warn", "fewer"),
    ],
)
@pytest.mark.parametrize("provider", ["dome", "predexon"])
def test_what_is_no_key_is_recognised(provider: str, key: str, status: str, said: str) -> None:
    """Common mistakes are named; the key itself never is."""
    (check,) = key_checks("API_KEY", [key], provider=provider, tier="dev")
    assert (check.name, check.status) == ("API_KEY", status)
    assert said in check.seen
    assert key not in check.seen + check.remedy or key in ("...", "abc")


def test_several_keys_are_told_by_number() -> None:
    """From 1, in the order of the setting."""
    first, second = key_checks("API_KEY", [GOOD, "two words"], provider="dome", tier="dev")
    assert (first.name, first.status) == ("API_KEY 1", "ok")
    assert (second.name, second.status) == ("API_KEY 2", "fail")


@pytest.mark.parametrize(
    ("key", "status"), [("dev-local", "ok"), ("anything", "ok"), ("bad-key", "fail"), ("free-key", "warn")]
)
def test_the_simulators_keys_say_what_they_buy(key: str, status: str) -> None:
    """It takes any, but beginnings have a meaning there."""
    (check,) = key_checks("API_KEY", [key], provider="simulator", tier="dev")
    assert check.status == status
