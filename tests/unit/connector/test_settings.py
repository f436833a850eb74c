from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector.dialects.dome import Dome
from connector.dialects.predexon import Predexon
from connector.packing import Quota
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
    assert settings.quota == Dome.quotas["free"]
    assert settings.ws_url == Dome.default_url
    assert (settings.kafka, settings.partitions, settings.dedupe) == ("localhost:9092", 8, "on")
    assert isinstance(settings.dialect, Dome)


def test_all_faults_are_reported_at_once(env: pytest.MonkeyPatch) -> None:
    """One line each, with variable, value, problem and remedy."""
    for name, value in {"API_KEY": "", "WALLETS": "0x12", "TIER": "gold", "PARTITIONS": "0", "KAFKA": ""}.items():
        env.setenv(name, value)
    lines = faults()
    assert [line.split()[0] for line in lines] == ["KAFKA", "PARTITIONS", "API_KEY", "TIER", "WALLETS"]
    assert "WALLETS ('0x12'): '0x12' has 2 hex digits after 0x, an address has 40. Remedy: set WALLETS to " in lines[4]
    assert "TIER ('gold'): should be one of free, dev." in lines[3]
    assert all("Remedy: set " in line for line in lines)


def test_what_is_not_set_is_said_and_a_misspelling_hinted(monkeypatch: pytest.MonkeyPatch) -> None:
    """API_KEI instead of API_KEY is seen; wallets may all come from the watch-list."""
    monkeypatch.setenv("API_KEI", "k")
    (key,) = faults()
    assert key.startswith("API_KEY (not set): is not set.")
    assert key.endswith("API_KEI is set: is it misspelt?")


def test_more_wallets_than_the_quota_are_no_fault_of_the_settings(env: pytest.MonkeyPatch) -> None:
    """Other replicas may have room; what has none is named while running. The quota is the tier's, or one's own."""
    wallets = [f"0x{number:040x}" for number in range(11)]
    env.setenv("WALLETS", ",".join(wallets))
    assert load(Settings).wallets == tuple(wallets)
    env.setenv("MAX_SUBSCRIPTIONS", "1")
    env.setenv("MAX_WALLETS_EACH", "10")
    assert (load(Settings).quota.subscriptions, load(Settings).quota.wallets_each) == (1, 10)


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
    env.setenv("REST_URL", "https://api.domeapi.io")
    assert KEY not in repr(load(Settings))


def test_a_socket_elsewhere_needs_its_rest_elsewhere(env: pytest.MonkeyPatch) -> None:
    """Else the key that was meant for one host would go to another."""
    env.setenv("WS_URL", "wss://feed.example/{key}")
    (line,) = faults()
    assert line.startswith("REST_URL (not set): is not set, but WS_URL is not the provider's own")
    env.setenv("REST_URL", "https://rest.example/")
    assert load(Settings).rest_url == "https://rest.example"


def test_several_keys_are_shared_out_among_replicas(env: pytest.MonkeyPatch) -> None:
    """Replica n of m takes every m-th key, so that none is used twice; without a number it takes them all."""
    env.setenv("API_KEY", " a,b, c,,d ")
    assert load(Settings).keys == ("a", "b", "c", "d")
    env.setenv("REPLICAS", "3")
    shares = []
    for number in range(3):
        env.setenv("REPLICA", str(number))
        settings = load(Settings)
        shares.append(settings.keys)
        assert set(settings.secrets) == {"a", "b", "c", "d"}, "what others use is secret, too"
    assert shares == [("a", "d"), ("b",), ("c",)]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"API_KEY": " , "}, "API_KEY ('***'): is not set."),
        ({"API_KEY": "a,b,a"}, "API_KEY ('***'): names a key twice."),
        (
            {"REPLICA": "2", "REPLICAS": "2"},
            "REPLICAS ('2'): should be more than REPLICA, which counts from 0 and is 2.",
        ),
        ({"REPLICA": "0", "REPLICAS": "3", "API_KEY": "a,b"}, "REPLICAS ('3'): should be at most the number of keys"),
        ({"REPLICA": "1"}, "REPLICAS (not set): should be more than REPLICA, which counts from 0 and is 1."),
        ({"MIRROR_PROVIDER": "dune"}, "MIRROR_PROVIDER ('dune'): should be one of dome, predexon, simulator."),
        ({"MIRROR_API_KEY": "m", "MIRROR_TIER": "gold"}, "MIRROR_TIER ('gold'): should be one of free, dev."),
        (
            {"MIRROR_API_KEY": "m", "MIRROR_PROVIDER": "predexon"},
            "MIRROR_TIER (not set): free has no subscriptions with predexon, so the mirror would be idle",
        ),
        ({"MIRROR_API_KEY": "m", "MIRROR_WS_URL": "http://x/"}, "MIRROR_WS_URL ('***'): should start with ws://"),
        ({"MIRROR_API_KEY": "m", "MIRROR_PROVIDER": "simulator"}, "MIRROR_WS_URL (not set): is not set, the simulator"),
        ({"REST_URL": "ftp://x"}, "REST_URL ('***'): should start with http:// or https:// and name a host."),
    ],
)
def test_what_does_not_fit_together_is_said(env: pytest.MonkeyPatch, given: dict[str, str], fault: str) -> None:
    """Each names the variable to change."""
    for name, value in given.items():
        env.setenv(name, value)
    (line,) = faults()
    assert line.startswith(fault)


def test_a_mirror_takes_over_what_it_is_not_told(env: pytest.MonkeyPatch) -> None:
    """A second key is enough; another provider brings its own address."""
    assert load(Settings).mirror_keys == ()
    env.setenv("TIER", "dev")
    env.setenv("MIRROR_API_KEY", "m1,m2")
    settings = load(Settings)
    assert (settings.mirror_keys, settings.mirror_tier) == (("m1", "m2"), "dev")
    assert (settings.mirror_provider, settings.mirror_ws_url) == ("dome", Dome.default_url)
    assert settings.secrets == (KEY, "m1", "m2")
    env.setenv("MIRROR_PROVIDER", "predexon")
    settings = load(Settings)
    assert isinstance(settings.mirror_dialect, Predexon)
    assert (settings.mirror_ws_url, settings.ws_url) == (Predexon.default_url, Dome.default_url)
    assert "m1" not in repr(settings)


def test_a_tier_without_subscriptions_is_refused(env: pytest.MonkeyPatch) -> None:
    """Predexon's free one, which is the default of TIER; the fault names those that have some."""
    env.setenv("PROVIDER", "predexon")
    (line,) = faults()
    assert line.startswith("TIER (not set): the tier free has no subscriptions with predexon")
    assert "set TIER to dev or pro, or MAX_SUBSCRIPTIONS and MAX_WALLETS_EACH" in line


@pytest.mark.parametrize("name", ["MAX_SUBSCRIPTIONS", "MAX_WALLETS_EACH"])
def test_half_a_quota_of_ones_own_is_room_for_no_wallet(env: pytest.MonkeyPatch, name: str) -> None:
    """Of the other half the tier has nothing."""
    env.setenv("PROVIDER", "predexon")
    env.setenv(name, "2")
    assert [line.split()[0] for line in faults()] == ["TIER"]


def test_a_quota_of_ones_own_makes_up_for_the_tier(env: pytest.MonkeyPatch) -> None:
    """A plan that has no name here."""
    for name, value in {"PROVIDER": "predexon", "MAX_SUBSCRIPTIONS": "2", "MAX_WALLETS_EACH": "3"}.items():
        env.setenv(name, value)
    assert load(Settings).quota == Quota(2, 3)


def test_a_number_at_fault_is_the_only_fault(env: pytest.MonkeyPatch) -> None:
    """The tier is not blamed for what was meant to make up for it."""
    for name, value in {"PROVIDER": "predexon", "MAX_SUBSCRIPTIONS": "0", "MAX_WALLETS_EACH": "3"}.items():
        env.setenv(name, value)
    assert [line.split()[0] for line in faults()] == ["MAX_SUBSCRIPTIONS"]


def test_a_provider_brings_its_dialect_addresses_and_quotas(env: pytest.MonkeyPatch) -> None:
    """PROVIDER=predexon, a tier with subscriptions and a key are enough."""
    env.setenv("PROVIDER", "predexon")
    env.setenv("TIER", "pro")
    settings = load(Settings)
    assert isinstance(settings.dialect, Predexon)
    assert (settings.ws_url, settings.rest_url) == (Predexon.default_url, Predexon.rest_url)
    assert settings.quota == Predexon.quotas["pro"]


@pytest.mark.parametrize(("socket", "rest"), [("ws://a:5/x/{key}", "http://a:5"), ("wss://b/{key}", "https://b")])
def test_the_simulator_serves_rest_where_it_serves_its_socket(env: pytest.MonkeyPatch, socket: str, rest: str) -> None:
    """Host, port and encryption are those of WS_URL."""
    env.setenv("PROVIDER", "simulator")
    env.setenv("WS_URL", socket)
    assert load(Settings).rest_url == rest


def test_kafka_is_reached_as_the_settings_say(env: pytest.MonkeyPatch) -> None:
    """The same variables serve every program of ours."""
    assert load(Settings).client() == {"security_protocol": "PLAINTEXT"}
    env.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
    env.setenv("KAFKA_USERNAME", "me")
    env.setenv("KAFKA_PASSWORD", "pw")
    settings = load(Settings)
    assert settings.client()["sasl_plain_username"] == "me"
    assert "pw" not in repr(settings)


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
