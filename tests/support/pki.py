"""Certificates for tests of TLS, and the user of the test broker's secure listener."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from connector.kafka.security import KafkaSecurity
from connector.local.config import HOST, SecureListener

if TYPE_CHECKING:
    from pathlib import Path

USERNAME = "walletstream"
PASSWORD = "kafka-pa55w0rd/of=tests"


class Pki(NamedTuple):
    """PEM files."""

    ca: Path
    """The authority that signed `server`."""
    server: Path
    """Key (PKCS #8, as Java wants it) and certificate of `HOST`, and of no other name."""
    stranger: Path
    """An authority that signed nothing of ours."""


def make_pki(folder: Path) -> Pki:
    """Make new certificates in a folder."""
    authority, pki = trustme.CA(), Pki(folder / "ca.pem", folder / "server.pem", folder / "stranger.pem")
    certificate = authority.issue_cert(HOST)
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    pki.server.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(pki.server, append=True)
    authority.cert_pem.write_to_path(pki.ca)
    trustme.CA().cert_pem.write_to_path(pki.stranger)
    return pki


def secure_listener(pki: Pki) -> SecureListener:
    """Return the test broker's secure listener."""
    return SecureListener(pem=pki.server, username=USERNAME, password=PASSWORD)


def variables(pki: Pki) -> dict[str, str]:
    """Return the environment of a process that may enter."""
    return {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_USERNAME": USERNAME,
        "KAFKA_PASSWORD": PASSWORD,
        "KAFKA_CA_FILE": str(pki.ca),
    }


def client_options(pki: Pki, **changes: str | None) -> dict[str, Any]:
    """Return aiokafka's arguments for these settings, changed by variables named without `KAFKA_`, in lower case."""
    settings = {name.lower(): value for name, value in variables(pki).items()}
    changed = {f"kafka_{name}": value for name, value in changes.items()}
    return KafkaSecurity.model_validate(settings | changed).client()
