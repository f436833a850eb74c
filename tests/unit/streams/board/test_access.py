from __future__ import annotations

import pytest

from streams.board.access import COOKIE, CSP, SESSION_S, Gate

TOKEN = "a-token-of-some-length"
NOW_S = 1_767_556_300.0


def test_without_a_token_everybody_is_admitted() -> None:
    """On loopback; settings refuse it elsewhere."""
    assert Gate("", "127.0.0.1").open
    assert Gate("", "127.0.0.1").admits({}, {}, NOW_S)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer \udcff"])
def test_who_does_not_show_the_token_stays_out(given: str) -> None:
    """Also where the header is nonsense."""
    assert not Gate(TOKEN, "0.0.0.0").admits({"Authorization": given}, {}, NOW_S)  # noqa: S104 - nothing is bound


def test_the_token_is_shown_as_bearer() -> None:
    """In whatever letter case the scheme is written."""
    gate = Gate(TOKEN, "127.0.0.1")
    assert gate.admits({"Authorization": f"Bearer {TOKEN}"}, {}, NOW_S)
    assert gate.admits({"Authorization": f"bearer {TOKEN}"}, {}, NOW_S)


def test_a_session_admits_until_it_ends() -> None:
    """Also by another process with the same token, so a restart logs nobody out; the token is not in it."""
    session = Gate(TOKEN, "127.0.0.1").session(NOW_S)
    assert TOKEN not in session
    restarted = Gate(TOKEN, "127.0.0.1")
    assert restarted.admits({}, {COOKIE: session}, NOW_S + SESSION_S - 2)
    assert not restarted.admits({}, {COOKIE: session}, NOW_S + SESSION_S + 1)
    assert not Gate(TOKEN + "2", "127.0.0.1").admits({}, {COOKIE: session}, NOW_S)


@pytest.mark.parametrize("forge", [str.upper, lambda s: "9" + s, lambda s: s[:-1], lambda _: ".", lambda _: "x.\udcff"])
def test_a_session_cannot_be_made_up(forge: object) -> None:
    """Neither its end nor its signature."""
    session = Gate(TOKEN, "127.0.0.1").session(NOW_S)
    assert callable(forge)
    forged = forge(session)
    assert forged == session or not Gate(TOKEN, "127.0.0.1").admits({}, {COOKIE: forged}, NOW_S)


def test_a_session_without_a_number_for_its_end_is_none() -> None:
    """However well it is signed."""
    gate = Gate(TOKEN, "127.0.0.1")
    assert not gate.admits({}, {COOKIE: f"soon.{gate._sign('soon')}"}, NOW_S)


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "127.8.8.8"])
def test_loopback_is_known_by_its_names(host: str) -> None:
    """With any port: a tunnel may have another."""
    assert Gate("", "127.0.0.1").knows_host(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1", "[::1"]
)
def test_names_of_strangers_are_not_ours(host: str) -> None:
    """They may well point to 127.0.0.1 (DNS rebinding)."""
    assert not Gate("", "localhost").knows_host(host)


def test_a_board_that_is_exposed_may_have_any_name() -> None:
    """Its token guards it."""
    assert Gate(TOKEN, "0.0.0.0").knows_host("board.example")  # noqa: S104 - nothing is bound


def test_the_policy_lets_nothing_in_but_our_own_files() -> None:
    """No inline script, no markup of texts, no frame."""
    assert CSP.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in CSP
