from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
from aiokafka import AIOKafkaClient, AIOKafkaProducer

from connector.kafka.security import KafkaSecurity
from connector.process.environment import SettingsError, load, manual

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "pa55-w0rd-of-kafka"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of ours leaks in from where the tests run."""
    for name in KafkaSecurity.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the files of an authority and of a certificate it signed."""
    folder = tmp_path_factory.mktemp("pem")
    authority = trustme.CA()
    certificate = authority.issue_cert("client.test")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return folder


def settings(monkeypatch: pytest.MonkeyPatch, **values: object) -> KafkaSecurity:
    """Load with these variables, named without their prefix."""
    for name, value in values.items():
        monkeypatch.setenv(f"KAFKA_{name.upper()}", str(value))
    return load(KafkaSecurity)


def test_without_settings_nothing_is_secured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A local Kafka needs none."""
    assert settings(monkeypatch).client() == {"security_protocol": "PLAINTEXT"}


def test_sasl_over_tls_verifies_certificate_and_host_name(monkeypatch: pytest.MonkeyPatch, pem: Path) -> None:
    """Nobody can turn verification off, and only the authorities that were named are trusted."""
    arguments = settings(
        monkeypatch, security_protocol="SASL_SSL", username="us", password=PASSWORD, ca_file=pem / "ca.pem"
    ).client()
    context: ssl.SSLContext = arguments.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats()["x509_ca"] == 1
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert arguments == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "us",
        "sasl_plain_password": PASSWORD,
    }


def test_sasl_without_tls_makes_no_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """For brokers behind a mesh that encrypts."""
    values = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "username": "us", "password": PASSWORD}
    arguments = settings(monkeypatch, **values).client()
    assert (arguments["sasl_mechanism"], "ssl_context" in arguments) == ("PLAIN", False)


@pytest.mark.parametrize("files", [{"cert_file": "cert.pem", "key_file": "key.pem"}, {"cert_file": "both.pem"}])
def test_a_client_certificate_with_its_key(monkeypatch: pytest.MonkeyPatch, pem: Path, files: dict[str, str]) -> None:
    """The key lies in a file of its own or in the certificate's."""
    paths = {name: pem / file for name, file in files.items()}
    assert "ssl_context" in settings(monkeypatch, security_protocol="SSL", **paths).client()


async def test_aiokafka_takes_every_argument(monkeypatch: pytest.MonkeyPatch, pem: Path) -> None:
    """The names are those of aiokafka's clients, which refuse others."""
    arguments = settings(
        monkeypatch, security_protocol="SASL_SSL", username="us", password=PASSWORD, ca_file=pem / "ca.pem"
    ).client()
    await AIOKafkaClient(bootstrap_servers="localhost:1", **arguments).close()
    await AIOKafkaProducer(bootstrap_servers="localhost:1", **arguments).stop()


@pytest.mark.parametrize(
    ("values", "variable", "problem"),
    [
        ({"security_protocol": "TLS"}, "KAFKA_SECURITY_PROTOCOL", "'SASL_SSL'"),
        ({"security_protocol": "SSL", "sasl_mechanism": "GSSAPI"}, "KAFKA_SASL_MECHANISM", "'PLAIN'"),
        ({"password": PASSWORD}, "KAFKA_PASSWORD", "PLAINTEXT: choose SASL_SSL, or unset it"),
        ({"username": "us", "security_protocol": "SSL"}, "KAFKA_USERNAME", "SSL: choose SASL_SSL, or unset it"),
        ({"security_protocol": "SASL_SSL", "username": "us"}, "KAFKA_PASSWORD", "SASL_SSL needs it"),
        ({"security_protocol": "SASL_SSL", "password": PASSWORD}, "KAFKA_USERNAME", "SASL_SSL needs it"),
        (
            {"security_protocol": "SASL_SSL", "username": "us", "password": PASSWORD + "\n"},
            "KAFKA_PASSWORD",
            "end of a line",
        ),
        ({"ca_file": "{pem}/ca.pem"}, "KAFKA_CA_FILE", "choose SASL_SSL or SSL"),
        ({"security_protocol": "SSL", "ca_file": "{pem}/none.pem"}, "KAFKA_CA_FILE", "no file that can be read"),
        ({"security_protocol": "SSL", "ca_file": "{pem}/key.pem"}, "KAFKA_CA_FILE", "no certificates in PEM form"),
        ({"security_protocol": "SSL", "key_file": "{pem}/key.pem"}, "KAFKA_KEY_FILE", "KAFKA_CERT_FILE is not set"),
        ({"security_protocol": "SSL", "cert_file": "{pem}/cert.pem"}, "KAFKA_KEY_FILE", "no certificate and key"),
    ],
)
def test_a_fault_names_variable_and_remedy_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, pem: Path, values: dict[str, str], variable: str, problem: str
) -> None:
    """Each is one line, found before anything connects."""
    with pytest.raises(SettingsError) as caught:
        settings(monkeypatch, **{name: value.format(pem=pem) for name, value in values.items()})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{variable} (")
    assert problem in line
    assert "Remedy: set " in line
    assert PASSWORD not in line


def test_nothing_shows_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings nor their manual."""
    loaded = settings(monkeypatch, security_protocol="SASL_PLAINTEXT", username="us", password=PASSWORD)
    assert (
        PASSWORD not in f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()} {manual(type(loaded))}"
    )
