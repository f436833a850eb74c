from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from connector.local.config import Ports, SecureListener, java_command, scram_user, server_properties

SECURE = SecureListener(pem=Path("/pki/server.pem"), username="us", password="pa55-w0rd")


def settings(secure: SecureListener | None = None) -> dict[str, str]:
    """Return the broker's settings by name."""
    text = server_properties(Ports(client=1, controller=2, proxied=3, proxy=4, secure=5), Path("/data/topics"), secure)
    return dict(line.split("=", 1) for line in text.splitlines())


def test_everything_listens_on_loopback_only() -> None:
    """A broker without authentication is for this machine only."""
    hosts = {part.split("//")[1].split(":")[0] for part in settings()["listeners"].split(",")}
    assert hosts == {"127.0.0.1"}


def test_clients_of_the_proxy_are_told_the_proxys_port() -> None:
    """Whoever comes through the proxy stays on it."""
    assert settings()["advertised.listeners"] == "CLIENT://127.0.0.1:1,PROXIED://127.0.0.1:4"
    assert "PROXIED://127.0.0.1:3" in settings()["listeners"]


def test_a_secure_listener_is_there_only_when_asked_for() -> None:
    """It has TLS and SCRAM; the others stay as they are."""
    assert "SECURE" not in settings()["listeners"]
    found = settings(SECURE)
    assert found["listeners"] == settings()["listeners"] + ",SECURE://127.0.0.1:5"
    assert found["listener.security.protocol.map"].endswith(",SECURE:SASL_SSL")
    assert found["listener.name.secure.ssl.keystore.location"] == "/pki/server.pem"


def test_a_user_is_made_without_naming_the_password() -> None:
    """Command lines and files of a broker show only what SCRAM would store of it."""
    user = scram_user(SECURE, salt=b"0123456789abcdef")
    salted = hashlib.pbkdf2_hmac("sha512", b"pa55-w0rd", b"0123456789abcdef", 4096)
    assert user.startswith("SCRAM-SHA-512=[name=us,iterations=4096,")
    assert f'saltedpassword="{base64.b64encode(salted).decode()}"' in user
    assert "pa55-w0rd" not in user + str(settings(SECURE))


def test_topics_are_never_made_by_a_typo() -> None:
    """Automatic creation is off, and one node suffices for Kafka's own topics."""
    found = settings()
    assert found["auto.create.topics.enable"] == "false"
    assert found["offsets.topic.replication.factor"] == found["transaction.state.log.min.isr"] == "1"


def test_a_java_command_has_options_before_the_class_and_arguments_after() -> None:
    """Java reads options only before the main class."""
    command = java_command(Path("java"), [Path("a.jar"), Path("b.jar")], "Main", "arg", options=("-Xmx1m",))
    assert command[0] == "java"
    assert command[-4:] == ["-cp", f"a.jar{os.pathsep}b.jar", "Main", "arg"]
    assert command.index("-Xmx1m") < command.index("-cp")
