from __future__ import annotations

import os
from pathlib import Path

from connector.local.config import Ports, java_command, server_properties


def settings() -> dict[str, str]:
    """Return the broker's settings by name."""
    text = server_properties(Ports(client=1, controller=2, proxied=3, proxy=4), Path("/data/topics"))
    return dict(line.split("=", 1) for line in text.splitlines())


def test_everything_listens_on_loopback_only() -> None:
    """A broker without authentication is for this machine only."""
    hosts = {part.split("//")[1].split(":")[0] for part in settings()["listeners"].split(",")}
    assert hosts == {"127.0.0.1"}


def test_clients_of_the_proxy_are_told_the_proxys_port() -> None:
    """Whoever comes through the proxy stays on it."""
    assert settings()["advertised.listeners"] == "CLIENT://127.0.0.1:1,PROXIED://127.0.0.1:4"
    assert "PROXIED://127.0.0.1:3" in settings()["listeners"]


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
