from __future__ import annotations

import pytest

from connector.process.environment import SettingsError, load
from streams.board.settings import Settings

TOKEN = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_it_is_for_this_machine_unless_told_otherwise() -> None:
    """Nothing has to be set."""
    settings = load(Settings)
    assert (settings.host, settings.port, settings.token) == ("127.0.0.1", 8080, "")
    assert settings.topic("orders.v1") == "orders.v1"


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "[::]:8080", "192.168.1.2:80", "board.example:8080"])
def test_an_exposed_board_without_a_token_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """With the variable and what to do; with a token it is fine."""
    monkeypatch.setenv("BOARD_ADDRESS", address)
    with pytest.raises(
        SettingsError, match=r"BOARD_TOKEN.*can be reached from other machines.*Remedy: set BOARD_TOKEN"
    ):
        load(Settings)
    monkeypatch.setenv("BOARD_TOKEN", TOKEN)
    assert load(Settings).token == TOKEN


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.2:0", "[::1]:8080", "localhost:8080"])
def test_loopback_needs_no_token(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """By number or by name."""
    monkeypatch.setenv("BOARD_ADDRESS", address)
    assert load(Settings).token == ""


@pytest.mark.parametrize("token", ["short", "sixteen chars\nxx", "sécret-sécret-16"])
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    """And not shown."""
    monkeypatch.setenv("BOARD_TOKEN", token)
    with pytest.raises(SettingsError, match="at least 16") as caught:
        load(Settings)
    assert token not in str(caught.value)


@pytest.mark.parametrize("address", ["8080", ":8080", "localhost:x", "localhost:65536"])
def test_a_wrong_address_is_told_once(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """The token is not blamed for it."""
    monkeypatch.setenv("BOARD_ADDRESS", address)
    with pytest.raises(SettingsError, match="host:port") as caught:
        load(Settings)
    assert "BOARD_TOKEN" not in str(caught.value).replace("needs BOARD_TOKEN", "")


def test_orders_may_be_another_deployments(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the worker reads them."""
    monkeypatch.setenv("TOPIC_PREFIX", "a.")
    assert load(Settings).topic("orders.v1") == "a.orders.v1"
    monkeypatch.setenv("ORDERS_TOPIC", "b.orders.v1")
    assert (load(Settings).topic("orders.v1"), load(Settings).topic("gaps.v1")) == ("b.orders.v1", "a.gaps.v1")
