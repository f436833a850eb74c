from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.dialects.dome import Dome
from connector.process.environment import SettingsError, load, manual
from connector.settings import SIMULATOR_KEY, Settings
from tests.support.orders import WALLET

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "0x" + "ab" * 20
KEY = "s3cr3t-k3y"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours leaks in from where the tests run."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what is required; tests change it."""
    monkeypatch.setenv("API_KEY", KEY)
    monkeypatch.setenv("WALLETS", WALLET)
    return monkeypatch


def faults(env_file: Path | None = None) -> list[str]:
    """Return the lines of the error that loading raises."""
    with pytest.raises(SettingsError) as caught:
        load(Settings, env_file)
    return str(caught.value).splitlines()


def test_key_and_wallets_are_enough(env: pytest.MonkeyPatch) -> None:
    """Everything else has a default that works against Dome and a local Kafka."""
    env.setenv("WALLETS", f" {WALLET.upper().replace('X', 'x')}, {OTHER},{WALLET} ")
    settings = load(Settings)
    assert settings.wallets == (WALLET, OTHER)
    assert settings.packing.groups == ((WALLET, OTHER),)
    assert settings.ws_url == Dome.default_url
    assert (settings.kafka, settings.partitions, settings.dedupe) == ("localhost:9092", 8, "on")
    assert isinstance(settings.dialect, Dome)


def test_all_faults_are_reported_at_once(env: pytest.MonkeyPatch) -> None:
    """One line each, with variable, value, problem and remedy."""
    for name, value in {"API_KEY": "", "WALLETS": "0x12", "TIER": "gold", "PARTITIONS": "0", "KAFKA": ""}.items():
        env.setenv(name, value)
    lines = faults()
    assert [line.split()[0] for line in lines] == ["API_KEY", "TIER", "WALLETS", "KAFKA", "PARTITIONS"]
    assert "WALLETS ('0x12'): expected 0x and 40 hex digits, got '0x12'. Remedy: set WALLETS to " in lines[2]
    assert "TIER ('gold'): should be one of free, dev." in lines[1]
    assert all("Remedy: set " in line for line in lines)


def test_what_is_not_set_is_said_and_a_misspelling_hinted(monkeypatch: pytest.MonkeyPatch) -> None:
    """WALLET instead of WALLETS is seen."""
    monkeypatch.setenv("WALLET", WALLET)
    key, wallets = faults()
    assert key.startswith("API_KEY (not set): is not set.")
    assert wallets.startswith("WALLETS (not set): is not set, and neither is WALLETS_FILE.")
    assert wallets.endswith("WALLET is set: is it misspelt?")


def test_wallets_that_do_not_fit_are_named(env: pytest.MonkeyPatch) -> None:
    """The free tier holds ten; the eleventh is an error by its address, not a silence."""
    wallets = [f"0x{number:040x}" for number in range(11)]
    env.setenv("WALLETS", ",".join(wallets))
    (line,) = faults()
    assert "11 wallets, but the quota is 2 subscriptions of 5 wallets; no room for " + wallets[10] in line
    env.setenv("TIER", "dev")
    assert load(Settings).wallets == tuple(wallets)
    env.setenv("MAX_SUBSCRIPTIONS", "1")
    env.setenv("MAX_WALLETS_EACH", "10")
    assert "the quota is 1 subscriptions of 10 wallets" in faults()[0]


def test_wallets_from_a_file(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One per line with comments; together with those listed."""
    file = tmp_path / "wallets.txt"
    file.write_text(f"# mine\n{OTHER}  # a friend\n\n")
    env.setenv("WALLETS_FILE", str(file))
    assert load(Settings).wallets == (WALLET, OTHER)
    env.setenv("WALLETS_FILE", str(tmp_path / "absent.txt"))
    assert faults()[0].startswith("WALLETS_FILE (")


def test_an_env_file_serves_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Other programs' variables in the file are no fault."""
    file = tmp_path / ".env"
    file.write_text(f"API_KEY={KEY}\nWALLETS={WALLET}\nTOPIC_PREFIX=file.\nSOMEBODY_ELSES=1\n")
    assert load(Settings, file).topic_prefix == "file."
    monkeypatch.setenv("TOPIC_PREFIX", "env.")
    assert load(Settings, file).topic_prefix == "env."


def test_the_simulator_needs_an_address_but_no_key(env: pytest.MonkeyPatch) -> None:
    """Any key will do there, and no fixed port exists."""
    env.setenv("PROVIDER", "simulator")
    env.delenv("API_KEY")
    assert faults()[0].startswith("WS_URL (not set): is not set, the simulator has no fixed address.")
    env.setenv("WS_URL", "ws://127.0.0.1:5/{key}")
    assert load(Settings).api_key.get_secret_value() == SIMULATOR_KEY


@pytest.mark.parametrize("url", ["https://ws.domeapi.io/{key}", "wss://ws.domeapi.io/"])
def test_a_url_without_place_for_the_key_is_refused(env: pytest.MonkeyPatch, url: str) -> None:
    """Scheme and placeholder are checked before anything is connected."""
    env.setenv("WS_URL", url)
    assert "should start with ws:// or wss:// and hold {key}" in faults()[0]


@pytest.mark.parametrize("url", ["ws:///{key}", "ws://[/{key}", "wss://host:port/{key}", "wss://host:70000/{key}"])
def test_a_url_that_nothing_can_connect_to_is_refused(env: pytest.MonkeyPatch, url: str) -> None:
    """It would be tried again for ever."""
    env.setenv("WS_URL", url)
    assert "should name a host, and a port only as a number" in faults()[0]


@pytest.mark.parametrize("servers", ["localhost:abc", "a:1,,b:2", ":9092", "localhost:99999", " "])
def test_kafka_addresses_are_checked(env: pytest.MonkeyPatch, servers: str) -> None:
    """The client would fail with a trace, or never reach it."""
    env.setenv("KAFKA", servers)
    assert "should be host:port, or several with commas between. Remedy: set KAFKA" in faults()[0]
    env.setenv("KAFKA", "localhost, broker-2:9092,[::1]:9092")
    assert load(Settings).kafka == "localhost, broker-2:9092,[::1]:9092"


def test_a_key_written_into_the_url_is_not_shown(env: pytest.MonkeyPatch) -> None:
    """The likeliest mistake with WS_URL puts the key into an error, and from there into a log."""
    env.setenv("WS_URL", f"wss://ws.domeapi.io/{KEY}")
    (line,) = faults()
    assert line.startswith("WS_URL ('***'): should start with")
    assert KEY not in line
    env.setenv("WS_URL", f"wss://ws.domeapi.io/{KEY}/{{key}}")
    assert KEY not in repr(load(Settings))


@pytest.mark.parametrize("value", ["inf", "nan", "1e9"])
def test_times_are_finite(env: pytest.MonkeyPatch, value: str) -> None:
    """Kafka's own timeouts are 32-bit milliseconds."""
    env.setenv("OUTAGE_TIMEOUT", value)
    assert faults()[0].startswith(f"OUTAGE_TIMEOUT ('{value}'): ")


def test_an_env_file_that_is_no_text_is_named(env: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line, no trace, none of its bytes."""
    del env
    file = tmp_path / ".env"
    file.write_bytes(b"API_KEY=" + KEY.encode() + b"\xff\n")
    assert faults(file) == [f"{file}: is no text file that can be read (UnicodeDecodeError)"]


def test_pings_must_have_time_to_be_answered(env: pytest.MonkeyPatch) -> None:
    """An idle timeout below the ping interval would cut every quiet connection."""
    env.setenv("IDLE_TIMEOUT", "5")
    assert "IDLE_TIMEOUT ('5'): should be longer than PING_INTERVAL" in faults()[0]


NAMES = st.sampled_from(sorted(set(Settings.model_fields) - {"api_key", "wallets_file"}))


@given(st.dictionaries(NAMES, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)))
def test_the_key_appears_nowhere(values: dict[str, str]) -> None:
    """Neither in the settings' repr and dump nor in any error, whatever else is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_KEY", KEY)
        for name, value in values.items():
            patch.setenv(name.upper(), value)
        try:
            shown = repr(settings := load(Settings)) + str(settings.model_dump()) + settings.model_dump_json()
        except SettingsError as error:
            shown = repr(error) + str(error)
            assert error.__cause__ is None  # noqa: PT017 - either outcome is right
    assert KEY not in shown


def test_a_faulty_key_is_not_shown_either(env: pytest.MonkeyPatch) -> None:
    """A key with a line break in it is masked in its own error."""
    env.setenv("API_KEY", f"{KEY}\n{KEY}")
    (line,) = faults()
    assert line.startswith("API_KEY ('***'): holds characters that no key has.")
    assert KEY not in line
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"api_key": f"{KEY}\n{KEY}"})
    assert KEY not in str(caught.value)


def test_the_manual_tells_every_variable_and_no_secret(env: pytest.MonkeyPatch) -> None:
    """--help lists each setting with its default."""
    del env
    text = manual(Settings)
    assert all(f"  {name.upper()} " in text for name in Settings.model_fields)
    assert "[localhost:9092]" in text
    assert os.environ["API_KEY"] not in text
